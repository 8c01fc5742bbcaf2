#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Blocked in read() since before the trace, on a pipe to which only sleep could write.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sleep 1000 | tail -n 1 &
wait_child $$ sleep; writer=$child
wait_child $$ tail
wait_state "$child" S
truth "expect stuck-read of=$child:tail with=$writer:sleep secs=1+ says=\"before the trace\""
truth ready
wait
