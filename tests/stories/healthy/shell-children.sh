#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell runs commands one after the other, and some beside it: SIGCHLD, blocked for moments.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
for ((i = 0; i < 15; i++)); do /bin/true; done
for ((i = 0; i < 5; i++)); do sleep 0.1 & done
wait
text=$(echo one; echo two)
[ "$text" = $'one\ntwo' ]
