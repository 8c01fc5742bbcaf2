/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes joined by pipes. */
#ifndef STORY_PIPELINE_H
#define STORY_PIPELINE_H

#include "story.h"

enum { MOST_PIPES = 8 };

static int pipes[MOST_PIPES][2], pipe_count;

static inline void make_pipes(int count)
{
	for (pipe_count = 0; pipe_count < count; ++pipe_count)
		must(pipe(pipes[pipe_count]));
}

/* Keeps the reading end of one pipe and the writing end of another open; -1: none. */
static inline void keep_ends(int reads, int writes)
{
	for (int i = 0; i < pipe_count; ++i) {
		if (i != reads)
			close(pipes[i][0]);
		if (i != writes)
			close(pipes[i][1]);
	}
}

/* A stage: a child of this name, with its two ends only. */
static inline pid_t stage(const char *name, int reads, int writes)
{
	pid_t pid = fork_as(name);

	if (!pid)
		keep_ends(reads, writes);
	return pid;
}

/* Writes count times size bytes, and sleeps before each. */
static inline void produce(int writes, int count, size_t size, double pause_s)
{
	for (int i = 0; i < count; ++i) {
		if (pause_s > 0)
			nap(pause_s);
		must(write(pipes[writes][1], zeros, size));
	}
	_exit(0);
}

/* Reads to the end, up to size bytes at a time, and sleeps after each read. */
static inline void consume(int reads, size_t size, double pause_s)
{
	static char data[1 << 16];

	while (must(read(pipes[reads][0], data, size)) > 0)
		if (pause_s > 0)
			nap(pause_s);
	_exit(0);
}

/* Passes on what it reads, up to size bytes at a time. */
static inline void pass_on(int reads, int writes, size_t size)
{
	static char data[1 << 16];
	long n;

	while ((n = must(read(pipes[reads][0], data, size))) > 0)
		must(write(pipes[writes][1], data, n));
	_exit(0);
}

/* In the parent: closes its ends, and waits for all children. */
static inline void wait_for_stages(void)
{
	keep_ends(-1, -1);
	while (wait(NULL) > 0)
		;
}

#endif
