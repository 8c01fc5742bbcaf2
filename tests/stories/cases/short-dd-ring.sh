#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dd asks a pipe for just what it holds, 64 KiB, eight times; its writer never has so much.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
(for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.03; head -c 50000 /dev/zero; done) |
	dd bs=64K count=8 of=copy status=none &
wait_child $$ dd
wait
truth "expect short-reads of=$child:dd says=8"
truth "allow reader-gone|slow-stage"
