// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to 100 processes of a frozen cgroup, which have a handler for it.
#include "../many.h"

static void quit(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	pid_t pids[EACH];

	for (int i = 0; i < EACH; ++i) {
		pids[i] = fork_as("many-frozen-r");
		if (!pids[i]) {
			signal(SIGTERM, quit);
			move_to_cgroup("cold", getpid());
			nap(30);
			_exit(1);
		}
	}
	for (int i = 0; i < EACH; ++i)
		wait_state(pids[i], 'S');
	nap(0.2);
	freeze_cgroup("cold", 1);
	nap(0.1);
	for (int i = 0; i < EACH; ++i)
		must(kill(pids[i], SIGTERM));
	nap(1);   /* longer than the last of them waits for a CPU then */
	freeze_cgroup("cold", 0);
	for (int i = 0; i < EACH; ++i) {
		if (reap(pids[i]))
			return 1;
		truth("each target-frozen of=%d:many-frozen-r with=%d:many-frozen says=SIGTERM",
		      pids[i], getpid());
	}
}
