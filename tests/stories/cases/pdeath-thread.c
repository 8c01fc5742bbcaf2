// SPDX-License-Identifier: GPL-2.0-only
// A thread of a pool forks a helper that is to end with its parent, and ends 0.3 s later: the
// helper ends with that thread, though the process goes on.
#include <pthread.h>
#include <sys/syscall.h>

#include "../story.h"

static pid_t helper, thread;

static void *job(void *unused)
{
	(void)unused;
	thread = syscall(SYS_gettid);
	helper = fork_as("pool-helper");
	if (!helper) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		for (;;)
			pause();
	}
	nap(0.3);
	return NULL;
}

int main(void)
{
	pthread_t pool;
	double ended;

	must(-pthread_create(&pool, NULL, job, NULL));
	pthread_join(pool, NULL);
	ended = now();
	reap(helper);
	nap(0.5);
	truth("expect ended-by-kernel of=%d:pool-helper with=%d:pdeath-thread at=%.3f~0.2 says=PDEATHSIG "
	      "says=\"thread %d\" says=\"lived on\"", helper, getpid(), ended, thread);
	return 0;
}
