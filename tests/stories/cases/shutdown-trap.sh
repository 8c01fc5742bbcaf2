#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The shell of a container has a trap for SIGTERM, which bash runs only when its foreground
# program has ended, 1.2 s later. The program itself got no signal.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid bash -c 'trap "exit 0" TERM; sleep 1.6; :' &
outer=$!
wait_child $outer bash
first=$child
wait_child "$first" sleep
program=$child
sleep 0.3
read_now; sent=$now
kill -TERM "$first"
wait $outer
read_now; elapse "$sent" "$now"
truth "expect container-shutdown of=$first:bash at=$sent secs=$elapsed~0.3 says=SIGTERM says=handler says=\"$program (sleep)\""
