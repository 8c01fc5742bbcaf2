/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stories of thousands of signals share: each has rounds of a hundred. */
#ifndef MANY_H
#define MANY_H

#include <sys/mman.h>

#include "story.h"

#define ROUNDS	100
#define EACH	100

/* Shared by the sender and the receiver; no pipe or signal, which are traced. */
struct shared {
	volatile int round;	/* that the receiver is ready for */
	volatile int sent;	/* rounds */
	volatile int taken;	/* signals */
};

static UNUSED struct shared *shared;

static inline void share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared == MAP_FAILED ? -1 : 0);
}

static UNUSED void count(int number)
{
	(void)number;
	++shared->taken;
}

static inline void until(volatile int *value, int wanted)
{
	while (*value < wanted)
		nap(0.0005);
}

static inline void send_all(pid_t pid, int number, int times)
{
	union sigval value = { 0 };

	for (int i = 0; i < times; ++i)
		must(sigqueue(pid, number, value));
}

#endif
