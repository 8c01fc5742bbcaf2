// SPDX-License-Identifier: GPL-2.0-only
// Of a process with two threads the second is stuck in D: SIGKILL ends the first at once, and
// the process only 0.9 s later.
#include <pthread.h>

#include "../fuse.h"

static void *stuck(void *unused)
{
	(void)unused;
	call_me("stuck-thread");
	look_into_fuse();
	return NULL;
}

int main(void)
{
	pid_t server = start_fuse_server(), victim = fork_as("two-threads");
	double sent;

	if (!victim) {
		pthread_t thread;

		pthread_create(&thread, NULL, stuck, NULL);
		for (;;)
			pause();
	}
	sent = signal_after(0.3, victim, SIGKILL);
	nap(0.9);
	end_fuse_server(server);
	reap(victim);
	truth("expect kill-stuck of=%d with=%d:kill-thread at=%.3f secs=%.3f says=two-threads "
	      "says=request_wait_answer", victim, getpid(), sent, now() - sent);
}
