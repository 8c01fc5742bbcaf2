// SPDX-License-Identifier: GPL-2.0-only
// A program blocks SIGTERM around a section that takes 1 s; as it unblocks it, it dies.
#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t child = fork_as("critical");
	double sent;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (!child) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		nap(1.2);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		_exit(1);
	}
	nap(0.2);
	sent = now();
	must(kill(child, SIGTERM));
	reap(child);
	truth("expect signal-blocked of=%d:critical with=%d:mask-own at=%.3f secs=%.3f "
	      "says=SIGTERM says=\"by its own sigprocmask()\"", child, getpid(), sent, now() - sent);
}
