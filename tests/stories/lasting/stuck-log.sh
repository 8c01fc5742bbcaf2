#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A daemon writes to a log pipe whose reader never reads.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# shellcheck disable=SC2216 # that it does not read is the subject
head -c 1M /dev/zero | sleep 1000 &
wait_child $$ sleep; reader=$child
wait_child $$ head
wait_state "$child" S
read_now
truth "expect stuck-write level=error of=$child:head with=$reader:sleep at=$now~0.5 secs=1+"
truth ready
wait
