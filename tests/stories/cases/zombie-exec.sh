#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell starts a child and becomes sleep, which waits for none: SIGTERM to the zombie.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
bash -c 'bash -c "exit 7" & exec sleep 2.5' &
parent=$!
wait_state $parent S sleep
read -r -d '' zombie _ <"/proc/$parent/task/$parent/children" || :
wait_state "${zombie%% *}" Z
sleep 0.3
kill -TERM "${zombie%% *}"
wait $parent
truth "expect zombie of=${zombie%% *}:bash with=$parent:sleep with=$$:zombie-exec.sh says=SIGTERM says=\"status 7\""
