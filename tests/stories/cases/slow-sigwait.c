// SPDX-License-Identifier: GPL-2.0-only
// A daemon takes SIGTERM by sigwait() and needs 0.7 s to shut down.
#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t daemon;
	double sent;
	int number;

	set = block(SIGTERM);
	daemon = fork_as("sigwait-daemon");
	if (!daemon) {
		sigwait(&set, &number);
		nap(0.7);
		_exit(0);
	}
	sent = signal_after(0.2, daemon, SIGTERM);
	reap(daemon);
	truth("expect slow-exit of=%d:sigwait-daemon with=%d:slow-sigwait at=%.3f secs=%.3f "
	      "says=SIGTERM", daemon, getpid(), sent, now() - sent);
}
