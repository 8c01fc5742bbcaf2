#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGSTOP and SIGCONT to a process to which no other signal and no data comes meanwhile.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
sleep 1.2 &
kill -STOP $!
sleep 0.6
kill -CONT $!
wait
