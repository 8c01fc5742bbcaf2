#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGKILL to the first process of a container from inside of it has no effect.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
unshare --fork --pid bash -c 'bash -c "sleep 0.5; kill -KILL 1; exec sleep 0.3"; exit 0' &
outer=$!
wait_child $outer bash
first=$child
wait_child "$first" bash
inner=$child
wait $outer
truth "expect signal-unkillable of=$first:bash with=$inner says=SIGKILL says=namespace"
