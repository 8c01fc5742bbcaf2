#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell writes by one command, and runs another one for 1.5 s: it is slow, and its end of the
# pipe is not left over.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
bash -c 'seq 1; sleep 1.5; :' | cat >/dev/null &
wait_child $$ bash
wait
truth "expect slow-stage of=$child:bash"
