#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A reader gives up with status 3 in the middle of the stream: the writer, blocked in a write that
# has moved a part, is ended by SIGPIPE.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# shellcheck disable=SC2002 # it is the writer
cat /dev/zero | bash -c 'head -c 300000 >/dev/null; sleep 0.3; exit 3' &
wait_child $$ cat; writer=$child
wait_child $$ bash; reader=$child
wait
truth "expect reader-gone of=$writer:cat with=$reader:bash says=SIGPIPE says=\"status 3\" level=warning"
truth "allow slow-stage"
