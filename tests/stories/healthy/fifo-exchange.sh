#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A FIFO between two processes that open it 0.3 s apart: open() waits for the other side.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
mkfifo fifo
cat fifo >copy &
sleep 0.3
echo message >fifo
wait
