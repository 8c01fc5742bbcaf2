// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL ends a process that a debugger holds, at once.
#include <sys/ptrace.h>

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
		int status;

		must(ptrace(PTRACE_SEIZE, target, 0, 0));
		must(ptrace(PTRACE_INTERRUPT, target, 0, 0));
		must(waitpid(target, &status, __WALL));
		must(waitpid(target, &status, __WALL));
		_exit(0);
	}
	wait_state(target, 't');
	nap(0.1);
	must(kill(target, SIGKILL));
	reap(target);
	reap(debugger);
	return 0;
}
