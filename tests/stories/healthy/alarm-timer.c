// SPDX-License-Identifier: GPL-2.0-only
// A handler of SIGALRM every 20 ms, by setitimer().
#include <sys/time.h>

#include "../story.h"

static volatile int ticks;

static void tick(int number)
{
	(void)number;
	++ticks;
}

int main(void)
{
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };

	signal(SIGALRM, tick);
	must(setitimer(ITIMER_REAL, &every, NULL));
	while (ticks < 40)
		pause();
	return 0;
}
