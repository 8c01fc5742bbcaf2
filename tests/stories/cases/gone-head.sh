#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# head has its line and exits: seq, which goes on 0.3 s later, is ended by SIGPIPE.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
(echo line; sleep 0.3; exec seq 1 200000) | head -n 1 >/dev/null &
wait_child $$ gone-head.sh; writer=$child
wait
truth "expect reader-gone of=$writer:seq says=SIGPIPE says=head"
