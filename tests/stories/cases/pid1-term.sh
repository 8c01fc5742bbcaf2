#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGTERM to the first process of a container that has no handler is ignored; SIGKILL from
# outside ends it 0.7 s later.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid sleep 30 2>/dev/null &
outer=$!
wait_child $outer sleep
sleep 0.1
read_now; sent=$now
kill -TERM "$child"
sleep 0.7
kill -KILL "$child"
wait $outer 2>/dev/null
truth "expect container-shutdown of=$child:sleep with=$$:pid1-term.sh at=$sent says=SIGTERM says=namespace"
