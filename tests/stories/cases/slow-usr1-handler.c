// SPDX-License-Identifier: GPL-2.0-only
// A handler works for 0.4 s; the signals of its number that come meanwhile wait for it.
#include "../story.h"

static void work(int number)
{
	(void)number;
	nap(0.4);
}

int main(void)
{
	pid_t worker = fork_as("busy-handler");
	double second;

	if (!worker) {
		signal(SIGUSR1, work);
		for (int i = 0; i < 2; i++)
			pause();
		_exit(0);
	}
	signal_after(0.2, worker, SIGUSR1);
	nap(0.1);
	second = now();
	must(kill(worker, SIGUSR1));
	signal_after(0.9, worker, SIGKILL);
	reap(worker);
	truth("expect slow-handler of=%d:busy-handler with=%d:slow-usr1-handl at=%.3f secs=0.3 "
	      "says=SIGUSR1 says=handler", worker, getpid(), second);
	truth("allow ended-by-process");
}
