#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# xargs -P runs four at a time.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
seq 1 8 | xargs -P 4 -n 1 sh -c 'sleep 0.05'
