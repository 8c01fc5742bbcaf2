#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The process that started the sender had ended before it sent the signal: at that moment
# the sender was a child of init.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sleep 30 &
target=$!
wait_state $target S sleep
bash -c "bash -c 'sleep 0.6; kill -TERM $target; sleep 1.5; :' & echo \$! >pid"
read -r sender <pid
wait $target 2>/dev/null
read_now
truth "expect ended-by-process of=$target:sleep with=$sender:bash at=$now says=SIGTERM chain=$sender<1"
sleep 1.2   # until the sender has been looked at
