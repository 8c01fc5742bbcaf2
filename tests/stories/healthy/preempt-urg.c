// SPDX-License-Identifier: GPL-2.0-only
// A runtime interrupts its own running threads by SIGURG, as Go does to preempt them.
#include <pthread.h>
#include <sys/syscall.h>

#include "../story.h"

static volatile int preempted, done;

static void preempt(int number)
{
	(void)number;
	++preempted;
}

static void *work(void *unused)
{
	(void)unused;
	while (!done)
		nap(0.001);
	return NULL;
}

int main(void)
{
	struct sigaction action = { .sa_handler = preempt, .sa_flags = SA_RESTART };
	pthread_t threads[2];

	sigaction(SIGURG, &action, NULL);
	for (int i = 0; i < 2; ++i)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < 60; ++i) {
		nap(0.005);
		pthread_kill(threads[i % 2], SIGURG);
	}
	done = 1;
	for (int i = 0; i < 2; ++i)
		pthread_join(threads[i], NULL);
	return preempted ? 0 : 1;
}
