#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The filter has the target, and not the sender: whose child that was says /proc.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
bash -c "echo \$\$ >$STORY_INSIDE/cgroup.procs; exec sleep 30" &
target=$!
wait_state $target S sleep
bash -c "sleep 0.3; kill -KILL $target; sleep 1.5; :" &
sender=$!
wait $target 2>/dev/null
read_now
truth "expect ended-by-process of=$target:sleep with=$sender:bash at=$now says=SIGKILL says=\"kill -KILL $target\" chain=$sender<$$<$PPID"
wait
