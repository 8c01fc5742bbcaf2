#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The entrypoint of a container executes its program, which handles SIGTERM and exits at once.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid bash -c \
	'exec python3 -c "import signal; signal.signal(signal.SIGTERM, lambda *_: exit()); signal.pause()"' &
outer=$!
wait_child $outer python3
wait_state "$child" S python3
sleep 0.8
kill -TERM "$child"
wait $outer
