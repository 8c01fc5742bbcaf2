// SPDX-License-Identifier: GPL-2.0-only
// Three processes share a mutex; one holds it for 150 ms each time, the others hardly.
#include "../mutex.h"

static pthread_mutex_t *mutex;
static double begun;

/* Takes the mutex in a loop, holds it for so long, and sleeps for so long between. */
static pid_t holder(const char *name, double held, double rest)
{
	pid_t pid = fork_as(name);

	if (pid)
		return pid;
	while (now() < begun + 1.8) {
		pthread_mutex_lock(mutex);
		nap(held);
		pthread_mutex_unlock(mutex);
		nap(rest);
	}
	_exit(0);
}

int main(void)
{
	pid_t slow, one, other;

	mutex = shared_mutex();
	begun = now();
	slow = holder("hogs", 0.150, 0.020);
	one = holder("quick-one", 0.001, 0.005);
	other = holder("quick-two", 0.001, 0.005);
	reap(slow);
	reap(one);
	reap(other);
	truth("expect convoy of=%d:hogs with=%d:quick-one with=%d:quick-two level=warning "
	      "says=futex says=\"anonymous shared memory\"", slow, one, other);
}
