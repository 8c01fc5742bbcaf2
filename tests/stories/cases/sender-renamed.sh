#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A script sends SIGTERM to the old server, and then becomes the new one: the sender was bash.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sleep 30 &
old=$!
bash -c "sleep 0.3; kill -TERM $old; exec sleep 0.4" &
new=$!
wait $old 2>/dev/null
wait $new
truth "row signal=SIGTERM sender=$new:bash target=$old:sleep"
