// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to 100 processes that a debugger holds.
#include "../many.h"

int main(void)
{
	pid_t pids[EACH];

	for (int i = 0; i < EACH; ++i) {
		pids[i] = fork_as("many-traced-r");
		if (!pids[i]) {
			nap(30);
			_exit(1);
		}
	}
	for (int i = 0; i < EACH; ++i) {
		wait_state(pids[i], 'S');
		hold(pids[i]);
	}
	for (int i = 0; i < EACH; ++i)
		must(kill(pids[i], SIGTERM));
	nap(0.3);
	for (int i = 0; i < EACH; ++i) {
		must(ptrace(PTRACE_DETACH, pids[i], 0, 0));
		reap(pids[i]);
		truth("each target-traced of=%d:many-traced-r with=%d:many-traced says=SIGTERM",
		      pids[i], getpid());
	}
}
