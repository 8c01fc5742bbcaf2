#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell without job control starts what is in the background with SIGINT ignored.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sh -c 'sleep 1.2 & wait' &
shell=$!
wait_child $shell sleep
kill -INT "$child"
read_now; sent=$now
wait $shell
truth "expect signal-ignored of=$child:sleep with=$$:ignored-int.sh at=$sent says=SIGINT"
