// SPDX-License-Identifier: GPL-2.0-only
// A producer and a consumer over shared memory with two POSIX semaphores: the consumer
// waits, for the producer takes 100 ms for each item.
#include <semaphore.h>
#include <sys/mman.h>

#include "../story.h"

#define ITEMS 17

struct shared {
	sem_t items, room;
};

int main(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t producer, consumer;

	must(shared == MAP_FAILED ? -1 : 0);
	must(sem_init(&shared->items, 1, 0));
	must(sem_init(&shared->room, 1, 4));
	producer = fork_as("produces");
	if (!producer) {
		for (int i = 0; i < ITEMS; i++) {
			must(sem_wait(&shared->room));
			nap(0.100);
			must(sem_post(&shared->items));
		}
		_exit(0);
	}
	consumer = fork_as("consumes");
	if (!consumer) {
		for (int i = 0; i < ITEMS; i++) {
			must(sem_wait(&shared->items));
			nap(0.001);
			must(sem_post(&shared->room));
		}
		_exit(0);
	}
	reap(producer);
	reap(consumer);
	truth("expect convoy of=%d:produces with=%d:consumes says=futex", producer, consumer);
}
