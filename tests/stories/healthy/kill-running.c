// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL to a process that runs, and to one that sleeps.
#include "../story.h"

int main(void)
{
	pid_t runner = fork_as("runner"), sleeper;

	if (!runner)
		for (;;)
			;
	signal_after(0.02, runner, SIGKILL);
	reap(runner);
	sleeper = fork_as("sleeper");
	if (!sleeper)
		for (;;)
			pause();
	signal_after(0.1, sleeper, SIGKILL);
	reap(sleeper);
	return 0;
}
