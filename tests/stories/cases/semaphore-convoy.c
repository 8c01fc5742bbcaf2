// SPDX-License-Identifier: GPL-2.0-only
// Three processes use a System V semaphore as a mutex; one holds it for 150 ms each time.
#include <sys/ipc.h>
#include <sys/sem.h>

#include "../story.h"

static int set;
static double begun;

static void change(short by)
{
	struct sembuf operation = { 0, by, SEM_UNDO };

	must(semop(set, &operation, 1));
}

/* Takes the semaphore in a loop, holds it for so long, and sleeps for so long between. */
static pid_t holder(const char *name, double held, double rest)
{
	pid_t pid = fork_as(name);

	if (pid)
		return pid;
	while (now() < begun + 1.8) {
		change(-1);
		nap(held);
		change(1);
		nap(rest);
	}
	_exit(0);
}

int main(void)
{
	pid_t slow, one, other;

	set = must(semget(IPC_PRIVATE, 1, 0600));
	must(semctl(set, 0, SETVAL, 1));
	begun = now();
	slow = holder("sem-hog", 0.150, 0.020);
	one = holder("sem-one", 0.001, 0.005);
	other = holder("sem-two", 0.001, 0.005);
	reap(slow);
	reap(one);
	reap(other);
	must(semctl(set, 0, IPC_RMID));
	truth("expect convoy of=%d:sem-hog with=%d:sem-one with=%d:sem-two level=warning "
	      "says=semaphore", slow, one, other);
}
