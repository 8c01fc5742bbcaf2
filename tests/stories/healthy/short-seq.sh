#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# head ends before the writer has written all that the pipe holds anyway.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
seq 1 500 | head -n 3 >/dev/null
