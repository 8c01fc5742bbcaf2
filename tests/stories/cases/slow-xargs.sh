#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# xargs runs a command of 0.12 s for each line: seq and the pipe are ready long before.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
seq 1 30000 | head -n 29000 | xargs -n 2500 sh -c 'sleep 0.12' &
wait_child $$ xargs
wait
truth "expect slow-stage of=$child:xargs"
truth "allow reader-gone"
