// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL to a SCHED_IDLE process whose CPU a SCHED_FIFO one has for itself.
#include <sched.h>

#include "../story.h"

static void on_first_cpu(int policy, int priority)
{
	struct sched_param param = { priority };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	must(sched_setaffinity(0, sizeof(cpus), &cpus));
	must(sched_setscheduler(0, policy, &param));
}

int main(void)
{
	pid_t target = fork_as("starved"), hog;

	if (!target) {
		on_first_cpu(SCHED_IDLE, 0);
		for (;;)
			pause();
	}
	wait_state(target, 'S');
	nap(0.1);
	hog = fork_as("hog");
	if (!hog) {
		on_first_cpu(SCHED_FIFO, 5);
		must(kill(target, SIGKILL));
		burn(0.2);
		_exit(0);
	}
	reap(target);
	reap(hog);
	truth("expect target-starved of=%d:starved with=%d:hog says=\"for a CPU\"", target, hog);
	return 0;
}
