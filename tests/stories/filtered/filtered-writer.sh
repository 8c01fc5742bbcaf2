#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Only the reader of a pipe is traced; its writer writes 20 times a second all along. Nothing
# may be said of the writer.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
(for ((i = 0; i < 24; i++)); do echo x; sleep 0.05; done) |
	(echo "$BASHPID" >"$STORY_INSIDE/cgroup.procs"; exec cat >/dev/null) &
wait
