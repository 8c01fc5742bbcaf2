#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# $(...) returns 1.2 s late: the tool has ended, and what it left behind holds the pipe.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
read_now; begin=$now
# shellcheck disable=SC2034 # only how long it takes is of interest
output=$(sleep 1.2 & printf '%d\n' $! >left; echo "tool done")
read_now; elapse "$begin" "$now"
read -r holder <left
truth "expect end-held-open of=$$:held-open.sh with=$holder:sleep at=$begin~0.4 secs=$elapsed~0.4"
