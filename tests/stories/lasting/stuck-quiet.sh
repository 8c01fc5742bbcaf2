#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A reader waits for a writer that never writes.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sleep 1000 | tail -n 1 &
wait_child $$ sleep; writer=$child
wait_child $$ tail
wait_state "$child" S
read_now
truth "expect stuck-read of=$child:tail with=$writer:sleep at=$now~0.5 secs=1+"
truth ready
wait
