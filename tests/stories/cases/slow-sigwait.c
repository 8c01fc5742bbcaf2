// SPDX-License-Identifier: GPL-2.0-only
// A daemon takes SIGTERM by sigwait() and needs 0.7 s to shut down.
#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t daemon;
	double sent;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	daemon = fork_as("sigwait-daemon");
	if (!daemon) {
		sigwait(&set, &number);
		nap(0.7);
		_exit(0);
	}
	nap(0.2);
	sent = now();
	must(kill(daemon, SIGTERM));
	reap(daemon);
	truth("expect slow-exit of=%d:sigwait-daemon with=%d:slow-sigwait at=%.3f secs=%.3f "
	      "says=SIGTERM", daemon, getpid(), sent, now() - sent);
}
