// SPDX-License-Identifier: GPL-2.0-only
// A daemon blocks its signals and takes them by sigwaitinfo(): that they are blocked is how it
// works.
#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t daemon;

	set = block(SIGUSR1, SIGTERM);
	daemon = fork_as("sigwait-loop");
	if (!daemon) {
		siginfo_t info;

		while (sigwaitinfo(&set, &info) != SIGTERM)
			;
		_exit(0);
	}
	for (int i = 0; i < 20; ++i)
		signal_after(0.02, daemon, SIGUSR1);
	signal_after(0.02, daemon, SIGTERM);
	reap(daemon);
	return 0;
}
