#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The OOM killer ends 100 processes, one after the other, of a memory cgroup of 4 MiB.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
root=${STORY_CGROUP%%/sys/fs/cgroup/*}/sys/fs/cgroup
echo +memory >"$root/cgroup.subtree_control"
mkdir "$root/oom-many"
echo 4M >"$root/oom-many/memory.max"
for ((i = 0; i < 100; i++)); do
	bash -c "echo \$\$ >$root/oom-many/cgroup.procs; exec tail /dev/zero" &
	target=$!
	wait $target 2>/dev/null
	[ $? = 137 ] || { echo "tail was not killed" >&2; exit 98; }
	truth "each oom-kill of=$target:tail says=SIGKILL says=oom-many says=\"4.00 MiB\""
done
rmdir "$root/oom-many"
