// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to a process that a debugger holds stopped: it dies as the debugger lets it go on,
// 1 s later.
#include "../story.h"

int main(void)
{
	pid_t target = fork_as("traced"), debugger;
	double sent;

	if (!target)
		for (;;)
			pause();
	nap(0.1);
	debugger = fork_as("debugger");
	if (!debugger) {
		hold(target);
		nap(1.3);
		must(ptrace(PTRACE_DETACH, target, 0, 0));
		_exit(0);
	}
	wait_state(target, 't');
	sent = signal_after(0.1, target, SIGTERM);
	reap(target);
	truth("expect target-traced of=%d:traced with=%d:traced-target with=%d:debugger at=%.3f~0.3 "
	      "secs=%.3f~0.3 says=SIGTERM", target, getpid(), debugger, sent, now() - sent);
	reap(debugger);
}
