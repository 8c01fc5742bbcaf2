// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL ends a process that has taken a semaphore without SEM_UNDO; another waits for it
// until SIGTERM ends that one.
#include <sys/ipc.h>
#include <sys/sem.h>

#include "../story.h"

static int set;

static pid_t taker(const char *name)
{
	struct sembuf take = { 0, -1, 0 };
	pid_t pid = fork_as(name);

	if (!pid) {
		must(semop(set, &take, 1));
		for (;;)
			pause();
	}
	return pid;
}

int main(void)
{
	pid_t dead, waiter;
	double since;

	set = must(semget(IPC_PRIVATE, 1, 0600));
	must(semctl(set, 0, SETVAL, 1));
	dead = taker("first-taker");
	wait_state(dead, 'S');
	signal_after(0.1, dead, SIGKILL);
	reap(dead);
	since = now();
	waiter = taker("next-taker");
	signal_after(1.5, waiter, SIGTERM);
	reap(waiter);
	must(semctl(set, 0, IPC_RMID));
	truth("expect stuck-read of=%d:next-taker with=%d:first-taker at=%.3f secs=1.5~0.2 "
	      "says=SIGTERM says=\"without putting it back\" level=warning", waiter, dead, since);
	truth("allow ended-by-process");
}
