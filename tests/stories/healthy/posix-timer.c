// SPDX-License-Identifier: GPL-2.0-only
// A POSIX timer that queues a real-time signal every 15 ms.
#include "../story.h"

static volatile int ticks;

static void tick(int number)
{
	(void)number;
	++ticks;
}

int main(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec every = { { 0, 15000000 }, { 0, 15000000 } };
	timer_t timer;

	signal(SIGRTMIN, tick);
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	must(timer_settime(timer, 0, &every, NULL));
	while (ticks < 40)
		pause();
	return 0;
}
