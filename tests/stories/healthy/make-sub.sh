#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A make that calls make: a job server over two levels.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
# shellcheck disable=SC2016 # for make to expand
{
printf 'all: a b\na b:\n\t+@$(MAKE) -s -f Sub.mk P=$@\n' >Makefile
printf 'all: $(P)1 $(P)2 $(P)3\n$(P)1 $(P)2 $(P)3:\n\t@sleep 0.05; echo >$@\n' >Sub.mk
}
make -s -j3
