#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A writer opens a FIFO that no process reads; its shell gives it up after 1.2 s.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
mkfifo log
bash -c 'exec 3>log; sleep 9' &
writer=$!
sleep 1.2
kill -TERM "$writer"
wait "$writer"
truth "expect stuck-open of=$writer:bash secs=1.1~0.3 says=writing says=SIGTERM"
