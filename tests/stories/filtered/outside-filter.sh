#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A traced shell signals a daemon that is not traced, and whose handler runs at once. Nothing
# may be said of what the daemon did.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
bash -c 'trap "echo handled" USR1 TERM; while :; do sleep 0.05; done' &
daemon=$!
sleep 0.3
(echo "$BASHPID" >"$STORY_INSIDE/cgroup.procs"; exec bash -c "kill -USR1 $daemon; kill -TERM $daemon; sleep 1") &
wait $!
kill -KILL $daemon
wait $daemon 2>/dev/null || :
