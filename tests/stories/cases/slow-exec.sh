#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The slow reader is a shell whose commands sleep; only at its very end it is cat.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
seq 1 40000 |
	(echo "slow=$BASHPID" >slow; for ((i = 0; i < 12; i++)); do read -r _; sleep 0.1; done; exec cat >/dev/null) &
wait
. ./slow
# shellcheck disable=SC2154 # slow is assigned there
truth "expect slow-stage of=$slow:cat says=\"It was slow-exec.sh until its exec\""
