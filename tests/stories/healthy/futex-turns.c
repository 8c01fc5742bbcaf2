// SPDX-License-Identifier: GPL-2.0-only
// Two processes share a mutex and hold it alike; two more post a semaphore to each other.
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "../story.h"

struct shared {
	pthread_mutex_t mutex;
	sem_t there, back;
};

static struct shared *shared;
static double begun;

static pid_t holder(const char *name)
{
	pid_t pid = fork_as(name);

	if (pid)
		return pid;
	while (now() < begun + 1.0) {
		pthread_mutex_lock(&shared->mutex);
		nap(0.010);
		pthread_mutex_unlock(&shared->mutex);
		nap(0.012);
	}
	_exit(0);
}

static pid_t player(const char *name, sem_t *waits, sem_t *posts)
{
	pid_t pid = fork_as(name);

	if (pid)
		return pid;
	for (int i = 0; i < 40; i++) {
		must(sem_wait(waits));
		nap(0.010);
		must(sem_post(posts));
	}
	_exit(0);
}

int main(void)
{
	pthread_mutexattr_t attributes;
	pid_t all[4];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared == MAP_FAILED ? -1 : 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &attributes);
	must(sem_init(&shared->there, 1, 1));
	must(sem_init(&shared->back, 1, 0));
	begun = now();
	all[0] = holder("left");
	all[1] = holder("right");
	all[2] = player("ping", &shared->there, &shared->back);
	all[3] = player("pong", &shared->back, &shared->there);
	for (int i = 0; i < 4; i++)
		reap(all[i]);
}
