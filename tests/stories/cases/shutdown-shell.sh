#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A container whose entrypoint is a shell that waits for its program: SIGTERM goes to the shell,
# which has no handler, and the program gets none. SIGKILL follows 0.7 s later.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid bash -c 'sleep 30; :' 2>/dev/null &
outer=$!
wait_child $outer bash
first=$child
wait_child "$first" sleep
program=$child
sleep 0.1
read_now; sent=$now
kill -TERM "$first"
sleep 0.7
kill -KILL "$first"
wait $outer 2>/dev/null
truth "expect container-shutdown of=$first:bash with=$program:sleep with=$$:shutdown-shell. at=$sent secs=0.7 says=SIGTERM says=\"no handler\" says=SIGKILL says=\"$program (sleep)\" says=\"got no SIGTERM\" chain=$program<$first<$outer<$$"
