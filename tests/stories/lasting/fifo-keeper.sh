#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A daemon has both ends of its FIFO open, so that no end of file comes between two commands:
# it is idle.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
mkfifo commands
bash -c 'exec 3<>commands; while read -r line <&3; do :; done' fifo-daemon &
wait_state $! S
echo reload >commands
sleep 0.2
wait_state $! S
truth "expect stuck-read of=$!:bash"   # a note: it may just be idle
truth ready
wait
