#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# xargs runs a command of 0.2 s for each of 6 lines, and what reads their output waits.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# shellcheck disable=SC2016 # for sh
seq 1 6 | xargs -n 1 sh -c 'sleep 0.2; echo "$0"' | cat >/dev/null &
wait_child $$ xargs
wait
truth "expect slow-stage of=$child:xargs says=cat says=commands"
