#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGHUP to a program under nohup has no effect.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
nohup sleep 1.2 >/dev/null 2>&1 &
target=$!
wait_state $target S sleep
kill -HUP $target
read_now; sent=$now
wait $target
truth "expect signal-ignored of=$target:sleep with=$$:ignored-hup.sh at=$sent says=SIGHUP"
