/* SPDX-License-Identifier: GPL-2.0-only */
/* A mutex that the processes of a story share. */
#ifndef STORY_MUTEX_H
#define STORY_MUTEX_H

#include <pthread.h>
#include <sys/mman.h>

#include "story.h"

static inline pthread_mutex_t *shared_mutex(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex = mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(mutex == MAP_FAILED ? -1 : 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
	return mutex;
}

#endif
