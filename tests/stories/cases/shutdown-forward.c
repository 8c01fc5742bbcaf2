// SPDX-License-Identifier: GPL-2.0-only
// The init of a container forwards SIGTERM to its worker and waits for it; the worker's handler
// does not come to an end, and SIGKILL follows after 0.8 s.
#include <sched.h>

#include "../story.h"

static pid_t worker;

static void forward(int number)
{
	kill(worker, number);
}

static void hang(int number)
{
	(void)number;
	nap(30);
}

int main(void)
{
	pid_t starter = getpid(), first, seen;
	double sent;

	must(unshare(CLONE_NEWPID));
	first = fork_as("fwd-init");
	if (!first) {
		worker = fork_as("fwd-worker");
		if (!worker) {
			signal(SIGTERM, hang);
			for (;;)
				pause();
		}
		signal(SIGTERM, forward);
		while (waitpid(worker, NULL, 0) == -1)
			;
		_exit(0);
	}
	nap(0.3);
	seen = only_child(first);
	sent = now();
	must(kill(first, SIGTERM));
	signal_after(0.8, first, SIGKILL);
	reap(first);
	truth("expect container-shutdown of=%d:fwd-init with=%d:shutdown-forwar with=%d:fwd-worker "
	      "at=%.3f secs=0.8 says=SIGTERM says=SIGKILL says=\"%d (fwd-worker)\" "
	      "says=\"ran its handler\"", first, starter, seen, sent, seen);
	truth("allow slow-exit");
}
