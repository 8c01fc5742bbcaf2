// SPDX-License-Identifier: GPL-2.0-only
// All threads of a program block SIGTERM, and none waits for it: it stays pending until
// SIGKILL, 0.8 s later.
#include <pthread.h>

#include "../story.h"

static void *work(void *unused)
{
	(void)unused;
	nap(30);
	return NULL;
}

int main(void)
{
	pid_t target = fork_as("all-blocked");
	pthread_t threads[3];
	double sent;

	if (!target) {
		block(SIGTERM);
		for (int i = 0; i < 3; ++i)
			pthread_create(&threads[i], NULL, work, NULL);
		nap(30);
	}
	sent = signal_after(0.2, target, SIGTERM);
	signal_after(0.8, target, SIGKILL);
	reap(target);
	truth("expect signal-blocked of=%d:all-blocked with=%d:mask-threads at=%.3f secs=%.3f "
	      "says=SIGTERM says=SIGKILL", target, getpid(), sent, now() - sent);
	return 0;
}
