// SPDX-License-Identifier: GPL-2.0-only
// The init of a container takes 0.9 s in its handler for SIGTERM; its worker has no part in
// that, gets no signal, and is ended by the kernel with it.
#include <sched.h>

#include "../story.h"

static void finish(int number)
{
	(void)number;
	nap(0.9);
	_exit(0);
}

int main(void)
{
	pid_t starter = getpid(), first, worker;
	double sent, gone;

	must(unshare(CLONE_NEWPID));
	first = fork_as("slow-init");
	if (!first) {
		signal(SIGTERM, finish);
		if (!fork_as("slow-worker"))
			for (;;)
				pause();
		for (;;)
			pause();
	}
	nap(0.3);
	worker = only_child(first);
	sent = now();
	must(kill(first, SIGTERM));
	reap(first);
	gone = now();
	truth("expect container-shutdown of=%d:slow-init with=%d:shutdown-slow with=%d:slow-worker "
	      "at=%.3f secs=%.3f says=SIGTERM says=handler says=\"%d (slow-worker)\" "
	      "says=\"got no SIGTERM\"", first, starter, worker, sent, gone - sent, worker);
}
