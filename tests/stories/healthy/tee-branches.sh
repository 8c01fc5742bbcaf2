#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tee, and process substitution on both sides.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
seq 1 5000 | tee >(wc -l >lines) >(tail -n 1 >last) >/dev/null
paste <(seq 1 100) <(seq 101 200) | wc -l >pairs
sleep 0.2
