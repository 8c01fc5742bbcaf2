#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The init of a pid namespace exits: the kernel ends what is left in it.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid bash -c 'tail -f /dev/null & sleep 0.5' 2>/dev/null &
outer=$!
wait_child $outer bash
wait_child "$child" tail
left=$child
wait $outer 2>/dev/null
read_now
truth "expect ended-by-kernel of=$left:tail at=$now~0.3 says=SIGKILL says=\"init of its pid namespace\""
