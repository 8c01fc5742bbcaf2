#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cat reads in a loop, and SIGPIPE ends it as head has what it wanted: no data was lost.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
seq 1 100000 | cat | (sleep 0.05; exec head -c 300000 >/dev/null) &
wait
