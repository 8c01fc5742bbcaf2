// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL ends a process that a debugger holds, at once.
#include "../story.h"

int main(void)
{
	pid_t target = fork_as("held"), debugger;

	if (!target)
		for (;;)
			pause();
	nap(0.1);
	debugger = fork_as("holder");
	if (!debugger) {
		hold(target);
		must(waitpid(target, NULL, __WALL));
		_exit(0);
	}
	wait_state(target, 't');
	signal_after(0.1, target, SIGKILL);
	reap(target);
	reap(debugger);
	return 0;
}
