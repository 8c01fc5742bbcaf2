#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The init of a pid namespace exits: the kernel ends what is left in it.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid bash -c 'sleep 30 & sleep 0.5' 2>/dev/null &
outer=$!
wait_child $outer bash
init=$child
wait_child "$init" sleep
left=$child
sleep 0.1
for pid in $(cat "/proc/$init/task/$init/children"); do
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" != 'sleep 30 ' ] || left=$pid
done
wait $outer 2>/dev/null
read_now
truth "expect ended-by-kernel of=$left:sleep at=$now~0.3 says=SIGKILL says=\"init of its pid namespace\""
