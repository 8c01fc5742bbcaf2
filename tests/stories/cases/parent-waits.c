// SPDX-License-Identifier: GPL-2.0-only
// Two children read from each other first. Their parent holds copies of all ends, and waits for
// them to exit.
#include <sys/mman.h>

#include "../pipeline.h"

static pid_t first_reads(const char *name, int reads, int writes)
{
	pid_t pid = stage(name, reads, writes);
	char byte;

	if (pid)
		return pid;
	nap(0.1);	/* until the parent waits */
	must(read(pipes[reads][0], &byte, 1));
	must(write(pipes[writes][1], &byte, 1));
	_exit(0);
}

int main(void)
{
	pid_t *children = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = fork_as("waiting");

	if (!parent) {
		make_pipes(2);
		children[0] = first_reads("left", 0, 1);
		children[1] = first_reads("right", 1, 0);
		while (wait(NULL) > 0)
			;
		_exit(0);
	}
	nap(1.3);
	must(kill(children[0], SIGTERM));
	must(kill(children[1], SIGTERM));
	reap(parent);
	truth("expect deadlock of=%d:left with=%d:right with=%d:waiting secs=1.2~0.2 says=wait4",
	      children[0], children[1], parent);
	return 0;
}
