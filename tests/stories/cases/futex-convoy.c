// SPDX-License-Identifier: GPL-2.0-only
// Three processes share a mutex; one holds it for 150 ms each time, the others hardly.
#include <pthread.h>
#include <sys/mman.h>

#include "../story.h"

static pthread_mutex_t *mutex;
static double begun;

static void make_mutex(void)
{
	pthread_mutexattr_t attributes;

	mutex = mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	must(mutex == MAP_FAILED ? -1 : 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
}

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

	make_mutex();
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
