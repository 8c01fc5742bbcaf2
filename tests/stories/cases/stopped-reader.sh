#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A logger is stopped by SIGSTOP for 1.2 s: the daemon that writes to it waits.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
bash -c 'for i in 1 2 3 4 5 6; do printf "%032768d" $i; sleep 0.08; done' |
	tail -c 1 >/dev/null &
wait_child $$ tail; reader=$child
wait_child $$ bash; writer=$child
sleep 0.1
kill -STOP "$reader"
sleep 1.2
kill -CONT "$reader"
wait
truth "expect partner-stopped of=$writer:bash with=$reader:tail secs=1~0.35 says=SIGSTOP says=SIGCONT"
