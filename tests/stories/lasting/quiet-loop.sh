#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The commands of a loop write to a pipe by turns, and now the loop sleeps: its reader waits for
# the next one, and the shell's end of the pipe is not left over.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
for _ in 1 2 3; do seq 2; sleep 1000; done | cat >/dev/null &
wait_child $$ quiet-loop.sh; loop=$child
wait_child "$loop" sleep
wait_child $$ cat
wait_state "$child" S
truth "expect stuck-read of=$child:cat"   # a note: it may just be idle
truth ready
wait
