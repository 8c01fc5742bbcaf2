#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dd asks a pipe for 1 MiB ten times, and gets no more than the pipe holds each time.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
(sleep 0.3; exec head -c 20M /dev/zero) | dd bs=1M count=10 of=copy status=none &
wait_child $$ dd
wait
truth "expect short-reads of=$child:dd says=10"
truth "allow reader-gone|slow-stage"
