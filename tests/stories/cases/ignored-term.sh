#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGTERM to a process that ignores it; SIGKILL ends it 0.8 s later.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sh -c 'trap "" TERM; exec sleep 30' &
target=$!
wait_state $target S sleep
read_now; sent=$now
kill -TERM $target
sleep 0.8
kill -KILL $target
wait $target 2>/dev/null
read_now; elapse "$sent" "$now"
truth "expect signal-ignored of=$target:sleep with=$$:ignored-term.sh at=$sent secs=$elapsed says=SIGTERM says=SIGKILL"
