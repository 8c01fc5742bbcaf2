#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGKILL from a script: which user's, by which command, whose child.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sleep 30 &
target=$!
wait_state $target S sleep
bash -c "sleep 0.3; kill -KILL $target; sleep 1.5; :" &
sender=$!
wait $target 2>/dev/null
read_now
truth "expect ended-by-process of=$target:sleep with=$sender:bash at=$now says=SIGKILL says=\"user root\" says=\"kill -KILL $target\" chain=$sender<$$<$PPID chain=$target<$$<$PPID"
wait
