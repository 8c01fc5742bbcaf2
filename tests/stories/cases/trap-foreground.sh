#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A bash with a trap for SIGTERM waits for its foreground child: the trap runs only when that
# has ended, 1 s later.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
bash -c 'trap "exit 0" TERM; sleep 1.4; :' &
target=$!
wait_child $target sleep
sleep 0.3
read_now; sent=$now
kill -TERM $target
wait $target
read_now; elapse "$sent" "$now"
truth "expect slow-exit of=$target:bash with=$$:trap-foreground at=$sent secs=$elapsed says=SIGTERM says=sleep"
