#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell whose trap for SIGTERM cleans up for 0.8 s.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sh -c 'trap "sleep 0.8; exit 0" TERM; while :; do sleep 0.05; done' &
target=$!
sleep 0.4
read_now; sent=$now
kill -TERM $target
wait $target
read_now; elapse "$sent" "$now"
truth "expect slow-exit of=$target:sh with=$$:trap-cleanup.sh at=$sent secs=$elapsed says=SIGTERM"
