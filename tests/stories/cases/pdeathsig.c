// SPDX-License-Identifier: GPL-2.0-only
// A worker asks for SIGTERM at its parent's exit (PR_SET_PDEATHSIG) and takes 0.6 s to end: the
// kernel sent it, not the parent.
#include <sys/mman.h>

#include "../story.h"

static void quit(int number)
{
	(void)number;
	nap(0.6);
	_exit(0);
}

int main(void)
{
	pid_t *worker = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent;
	double sent;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	parent = fork_as("exiting");
	if (!parent) {
		pid_t child = fork_as("worker");

		if (!child) {
			must(signal(SIGTERM, quit) == SIG_ERR ? -1 : 0);
			must(prctl(PR_SET_PDEATHSIG, SIGTERM));
			for (;;)
				pause();
		}
		*worker = child;
		wait_state(child, 'S');
		nap(0.2);
		_exit(0);
	}
	reap(parent);
	sent = now();
	reap(*worker);
	truth("expect slow-exit of=%d:worker with=%d:exiting at=%.3f secs=%.3f says=SIGTERM "
	      "says=\"from the kernel as its parent\" says=PDEATHSIG",
	      *worker, parent, sent, now() - sent);
}
