// SPDX-License-Identifier: GPL-2.0-only
// 23 SIGUSR1 of one sender to a process that blocks it for 0.6 s: 22 are merged.
#include "../story.h"

static void count(int number)
{
	(void)number;
}

int main(void)
{
	pid_t counter = fork_as("usr1-counter");

	if (!counter) {
		signal(SIGUSR1, count);
		block_for(0.8, SIGUSR1);
		_exit(0);
	}
	nap(0.2);
	for (int i = 0; i < 23; ++i)
		must(kill(counter, SIGUSR1));
	reap(counter);
	truth("expect signal-merged of=%d:usr1-counter with=%d:merged-usr1 says=SIGUSR1 says=22",
	      counter, getpid());
	truth("allow signal-blocked|signal-late");
}
