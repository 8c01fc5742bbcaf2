#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dd writes to an ext4 that fsfreeze froze: SIGKILL, and once more; it dies with the thaw.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
truncate -s 8M image
mkfs.ext4 -q -F -O ^has_journal image || exit
mkdir disk
mount -o loop image disk || exit
dd if=/dev/zero of=disk/data bs=4k oflag=dsync 2>/dev/null &
writer=$!
until [ -s disk/data ]; do sleep 0.05; done
fsfreeze --freeze disk
wait_state $writer D
read_now; sent=$now
kill -KILL $writer
sleep 0.5
kill -KILL $writer
sleep 0.5
fsfreeze --unfreeze disk
wait $writer 2>/dev/null
read_now; elapse "$sent" "$now"
truth "expect kill-stuck of=$writer:dd with=$$:frozen-disk.sh at=$sent secs=$elapsed says=SIGKILL says=write"
umount disk
