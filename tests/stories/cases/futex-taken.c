// SPDX-License-Identifier: GPL-2.0-only
// A process takes a shared mutex while it is free, without a system call, and computes for 1.2 s
// before it gives it back by its first one. Two others wait for it, one then for the other.
#include "../mutex.h"

static pthread_mutex_t *mutex;

static pid_t holder(const char *name, double later, double held)
{
	pid_t pid = fork_as(name);

	if (pid)
		return pid;
	if (later > 0)
		nap(later);
	pthread_mutex_lock(mutex);
	burn(held);
	pthread_mutex_unlock(mutex);
	_exit(0);
}

int main(void)
{
	pid_t slow, one, other;

	mutex = shared_mutex();
	slow = holder("computes", 0, 1.2);
	one = holder("quick-one", 0.1, 0.01);
	other = holder("quick-two", 0.1, 0.01);
	reap(slow);
	reap(one);
	reap(other);
	truth("expect convoy of=%d:computes with=%d:quick-one with=%d:quick-two level=warning "
	      "says=futex", slow, one, other);
}
