#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A memory cgroup of 20 MiB: a process that needs more is ended by the OOM killer.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
root=${STORY_CGROUP%%/sys/fs/cgroup/*}/sys/fs/cgroup
echo +memory >"$root/cgroup.subtree_control"
mkdir "$root/oom-story"
echo 20M >"$root/oom-story/memory.max"
bash -c "echo \$\$ >$root/oom-story/cgroup.procs; exec tail /dev/zero" &
target=$!
wait $target 2>/dev/null
status=$?
read_now
rmdir "$root/oom-story"
[ $status = 137 ] || { echo "tail ended with status $status" >&2; exit 98; }
truth "expect oom-kill of=$target:tail at=$now~0.6 says=SIGKILL says=oom-story says=\"20.0 MiB\" says=\"No process sent it\""
