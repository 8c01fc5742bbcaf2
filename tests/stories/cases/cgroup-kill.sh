#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A write to cgroup.kill ends all of a cgroup: the writer sent it, though by no kill().
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
[ -e "$STORY_CGROUP/cgroup.kill" ] || { truth 'absent cgroup.kill'; exit; }   # before 5.14
mkdir "$STORY_CGROUP/below"
bash -c "echo \$\$ >$STORY_CGROUP/below/cgroup.procs; exec sleep 30" &
target=$!
wait_state $target S sleep
sleep 0.2
read_now
echo 1 >"$STORY_CGROUP/below/cgroup.kill"
wait $target 2>/dev/null
rmdir "$STORY_CGROUP/below"
truth "expect ended-by-kernel of=$target:sleep with=$$:cgroup-kill.sh at=$now says=SIGKILL says=cgroup.kill"
