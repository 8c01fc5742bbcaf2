#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A loop in a shell writes a line each 60 ms; cat and wc wait for it.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
(for ((i = 0; i < 25; i++)); do echo line; sleep 0.06; done) | cat | wc -l >/dev/null &
wait_child $$ slow-source.sh
wait
truth "expect slow-stage of=$child:slow-source.sh"
