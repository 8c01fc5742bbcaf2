// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL ends a process that has taken a semaphore without SEM_UNDO; another waits for it to
// the end of the trace.  Of one that was taken with SEM_UNDO the next has it at once.
#include <sys/ipc.h>
#include <sys/sem.h>

#include "../story.h"

static int set;

static void take(unsigned short number, short flags)
{
	struct sembuf operation = { number, -1, flags };

	must(semop(set, &operation, 1));
}

/* Ended while it has the semaphore. */
static pid_t take_and_die(const char *name, unsigned short number, short flags)
{
	pid_t pid = fork_as(name);

	if (!pid) {
		take(number, flags);
		for (;;)
			pause();
	}
	signal_after(0.1, pid, SIGKILL);
	reap(pid);
	return pid;
}

int main(void)
{
	pid_t dead, waiter;
	double since;

	set = must(semget(IPC_PRIVATE, 2, 0600));
	must(semctl(set, 0, SETVAL, 1));
	must(semctl(set, 1, SETVAL, 1));
	take_and_die("sem-undone", 1, SEM_UNDO);
	take(1, 0);
	dead = take_and_die("sem-taker", 0, 0);
	since = now();
	waiter = fork_as("sem-waiter");
	if (!waiter) {
		take(0, 0);
		_exit(97);
	}
	truth("expect stuck-read of=%d:sem-waiter with=%d:sem-taker at=%.3f secs=1+ "
	      "says=SEM_UNDO says=\"without putting it back\" level=warning",
	      waiter, dead, since);
	truth("ready");
	for (;;)
		pause();
}
