// SPDX-License-Identifier: GPL-2.0-only
// Three threads share a mutex, and one of them holds it for 150 ms each time.
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "../story.h"

#define ROUNDS 10

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int done;

static void *quick(void *name)
{
	prctl(PR_SET_NAME, name);
	while (!done) {
		pthread_mutex_lock(&mutex);
		nap(0.001);
		pthread_mutex_unlock(&mutex);
		nap(0.002);
	}
	return NULL;
}

int main(void)
{
	pthread_t one, two;

	must(pthread_create(&one, NULL, quick, "quick-one"));
	must(pthread_create(&two, NULL, quick, "quick-two"));
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		nap(0.15);
		pthread_mutex_unlock(&mutex);
		nap(0.01);
	}
	done = 1;
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	truth("expect convoy of=%d:mutex-convoy says=\"private futex\" says=thread level=warning "
	      "secs=1.5~0.3", getpid());
	return 0;
}
