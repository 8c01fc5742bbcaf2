// SPDX-License-Identifier: GPL-2.0-only
// A daemon blocks its signals and takes them by sigwaitinfo(): that they are blocked is how it
// works.
#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t daemon;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	daemon = fork_as("sigwait-loop");
	if (!daemon) {
		siginfo_t info;

		while (sigwaitinfo(&set, &info) != SIGTERM)
			;
		_exit(0);
	}
	for (int i = 0; i < 20; ++i) {
		nap(0.02);
		must(kill(daemon, SIGUSR1));
	}
	nap(0.02);
	must(kill(daemon, SIGTERM));
	reap(daemon);
	return 0;
}
