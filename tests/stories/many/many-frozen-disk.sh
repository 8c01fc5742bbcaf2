#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGKILL to 100 processes that write to an ext4 that fsfreeze froze: in D until the thaw.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
truncate -s 8M image
mkfs.ext4 -q -F -O ^has_journal image || exit
mkdir disk
mount -o loop image disk || exit
fsfreeze --freeze disk
writers=()
for ((i = 0; i < 100; i++)); do
	dd if=/dev/zero of=disk/data bs=1 count=1 2>/dev/null &
	writers+=($!)
done
for writer in "${writers[@]}"; do
	wait_state "$writer" D
done
kill -KILL "${writers[@]}"
sleep 1   # longer than the last of them waits for a CPU then
fsfreeze --unfreeze disk
for writer in "${writers[@]}"; do
	wait "$writer" 2>/dev/null
	truth "each kill-stuck of=$writer:dd says=SIGKILL says=D"
done
umount disk
