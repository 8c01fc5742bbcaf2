#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Blocked in write() since before the trace: the pipe is full, and its reader never reads.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# shellcheck disable=SC2216 # that it does not read is the subject
head -c 1M /dev/zero | sleep 1000 &
wait_child $$ sleep; reader=$child
wait_child $$ head
wait_state "$child" S
truth "expect stuck-write level=error of=$child:head with=$reader:sleep secs=1+ says=\"before the trace\""
truth ready
wait
