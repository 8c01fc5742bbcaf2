// SPDX-License-Identifier: GPL-2.0-only
// Items in shared memory, an eventfd that counts them: the producer takes 100 ms for each,
// and the consumer waits in read() of the eventfd.
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "../story.h"

#define ITEMS 17

int main(void)
{
	int *items = mmap(NULL, sizeof(int) * ITEMS, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ready = must(eventfd(0, EFD_SEMAPHORE));
	pid_t producer, consumer;

	must(items == MAP_FAILED ? -1 : 0);
	producer = fork_as("produces");
	if (!producer) {
		for (int i = 0; i < ITEMS; i++) {
			uint64_t one = 1;

			nap(0.100);
			items[i] = i;
			must(write(ready, &one, sizeof(one)));
		}
		_exit(0);
	}
	consumer = fork_as("consumes");
	if (!consumer) {
		for (int i = 0; i < ITEMS; i++) {
			uint64_t one;

			must(read(ready, &one, sizeof(one)));
			nap(0.001);
		}
		_exit(0);
	}
	reap(producer);
	reap(consumer);
	truth("expect slow-stage of=%d:produces with=%d:consumes says=eventfd", producer, consumer);
}
