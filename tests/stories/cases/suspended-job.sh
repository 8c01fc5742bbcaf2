#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGTSTP suspends a job, as Ctrl-Z does; SIGTERM has effect only with SIGCONT, 0.8 s later.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# With job control the job has a process group of its own; in an orphaned one SIGTSTP has
# no effect.
set -m
sleep 30 &
target=$!
wait_state $target S sleep
kill -TSTP $target
wait_state $target T
sleep 0.2
read_now; sent=$now
kill -TERM $target
sleep 0.8
kill -CONT $target
wait $target 2>/dev/null
read_now; elapse "$sent" "$now"
truth "expect target-stopped of=$target:sleep with=$$:suspended-job.s at=$sent~0.3 secs=$elapsed~0.3 says=SIGTERM says=SIGTSTP says=SIGCONT"
