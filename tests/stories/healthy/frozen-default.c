// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to a process without a handler in a frozen cgroup: it dies at once.
#include "../story.h"

int main(void)
{
	pid_t target = fork_as("ice-cold");

	if (!target)
		for (;;)
			pause();
	move_to_cgroup("ice", target);
	nap(0.1);
	freeze_cgroup("ice", 1);
	signal_after(0.2, target, SIGTERM);
	reap(target);
	freeze_cgroup("ice", 0);
	return 0;
}
