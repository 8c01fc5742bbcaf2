#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell starts a child and becomes sleep, which waits for none: SIGTERM to the zombie.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# One that exits before the exec is reaped by the shell.
# shellcheck disable=SC2016 # for the inner shells
bash -c 'bash -c "until read -r name </proc/\$PPID/comm && [ \$name = sleep ]; do :; done
	exit 7" & exec sleep 2.5' &
parent=$!
wait_state $parent S sleep
read -r -d '' zombie _ <"/proc/$parent/task/$parent/children" || :
wait_state "${zombie%% *}" Z
sleep 0.3
kill -TERM "${zombie%% *}"
wait $parent
truth "expect zombie of=${zombie%% *}:bash with=$parent:sleep with=$$:zombie-exec.sh says=SIGTERM says=\"status 7\""
