#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make -j4: the job server is a pipe with tokens, which each make and its children share.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
jobs=$(seq -s ' ' 1 9)
printf '.PHONY: all %s\nall: %s\n%s:\n\t@sleep 0.0$@\n' "$jobs" "$jobs" "$jobs" >Makefile
make -s -j4
