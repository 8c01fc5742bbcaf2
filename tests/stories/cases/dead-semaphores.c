// SPDX-License-Identifier: GPL-2.0-only
// Two processes take the two semaphores of a set, each as a mutex, in another order, until
// an alarm ends one of them.
#include <sys/ipc.h>
#include <sys/sem.h>

#include "../story.h"

static int set;

static void change(unsigned short number, short by)
{
	struct sembuf operation = { number, by, 0 };

	must(semop(set, &operation, 1));
}

static void take_both(unsigned short first, unsigned short second)
{
	change(first, -1);
	nap(0.3);
	change(second, -1);
}

int main(void)
{
	double stuck;
	pid_t one, other;

	set = must(semget(IPC_PRIVATE, 2, 0600));
	must(semctl(set, 0, SETVAL, 1));
	must(semctl(set, 1, SETVAL, 1));
	one = must(fork());
	if (!one) {
		alarm(2);
		take_both(0, 1);
		_exit(97);
	}
	other = must(fork());
	if (!other) {
		take_both(1, 0);
		_exit(97);
	}
	stuck = now() + 0.3;
	reap(one);
	semctl(set, 0, IPC_RMID);
	reap(other);
	truth("expect deadlock with=%d with=%d at=%.3f~0.2 secs=1.7~0.3 says=semaphore "
	      "says=SIGALRM", one, other, stuck);
}
