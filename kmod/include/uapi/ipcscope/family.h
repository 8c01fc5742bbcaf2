/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Families of hooks: what a trace is asked for.  One row each:
 * X(bit, NAME, name, kinds): the records that are of no other family.
 */
#ifndef IPCSCOPE_FAMILY_H
#define IPCSCOPE_FAMILY_H

#include "record.h"

#define IPCSCOPE_KINDS2(a, b)	((1ULL << (a)) | (1ULL << (b)))
#define IPCSCOPE_KINDS1(a)	(1ULL << (a))

#define IPCSCOPE_FAMILIES(X)						\
	X(0, SIGNALS, "signals", IPCSCOPE_KINDS2(IPCSCOPE_SIGNAL_GENERATE, \
						 IPCSCOPE_SIGNAL_TAKE))	\
	X(1, PIPES, "pipes", IPCSCOPE_KINDS2(IPCSCOPE_CALL_PIPE,	\
					     IPCSCOPE_CALL_SPLICE))	\
	X(2, KILLS, "kills", IPCSCOPE_KINDS1(IPCSCOPE_KILL))		\
	X(3, UNIX, "unix", IPCSCOPE_KINDS2(IPCSCOPE_CALL_UNIX,		\
					   IPCSCOPE_FD_RECEIVED))	\
	X(4, EVENTFD, "eventfd", IPCSCOPE_KINDS1(IPCSCOPE_CALL_EVENTFD)) \
	X(5, MQUEUE, "mqueue", IPCSCOPE_KINDS1(IPCSCOPE_CALL_MQUEUE))	\
	X(6, SYSV, "sysv", IPCSCOPE_KINDS1(IPCSCOPE_CALL_SYSV))		\
	X(7, FUTEX, "futex", IPCSCOPE_KINDS1(IPCSCOPE_CALL_FUTEX))	\
	X(8, HANDLERS, "handlers", IPCSCOPE_KINDS2(IPCSCOPE_SIGNAL_HANDLER, \
						   IPCSCOPE_SIGNAL_MASK)) \
	X(9, FUTEX_ALL, "futex=all", 0)

/* Bits of start.families (transport.h). */
#define IPCSCOPE_FAMILY_SIGNALS		0x01u
#define IPCSCOPE_FAMILY_PIPES		0x02u
#define IPCSCOPE_FAMILY_KILLS		0x04u
#define IPCSCOPE_FAMILY_UNIX		0x08u
#define IPCSCOPE_FAMILY_EVENTFD		0x10u
#define IPCSCOPE_FAMILY_MQUEUE		0x20u
#define IPCSCOPE_FAMILY_SYSV		0x40u
#define IPCSCOPE_FAMILY_FUTEX		0x80u
#define IPCSCOPE_FAMILY_HANDLERS	0x100u
/* Those of IPCSCOPE_FAMILY_FUTEX, and those on memory of one process. */
#define IPCSCOPE_FAMILY_FUTEX_ALL	0x200u

#define IPCSCOPE_FAMILY_CHECK(bit, NAME, name, kinds) \
	IPCSCOPE_ASSERT(IPCSCOPE_FAMILY_##NAME == 1u << (bit));
IPCSCOPE_FAMILIES(IPCSCOPE_FAMILY_CHECK)

#define IPCSCOPE_FAMILY_BIT(bit, NAME, name, kinds)	| (1u << (bit))
#define IPCSCOPE_FAMILY_ALL		(0u IPCSCOPE_FAMILIES(IPCSCOPE_FAMILY_BIT))

/* Hooks of both backends exist for these. */
#define IPCSCOPE_FAMILY_HOOKED \
	(IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_PIPES |		\
	 IPCSCOPE_FAMILY_KILLS | IPCSCOPE_FAMILY_UNIX |			\
	 IPCSCOPE_FAMILY_EVENTFD | IPCSCOPE_FAMILY_MQUEUE |		\
	 IPCSCOPE_FAMILY_SYSV | IPCSCOPE_FAMILY_FUTEX |			\
	 IPCSCOPE_FAMILY_HANDLERS | IPCSCOPE_FAMILY_FUTEX_ALL)

/*
 * All that is between processes.  Handlers are what a process does with a signal,
 * and other futexes are between its threads.
 */
#define IPCSCOPE_FAMILY_IPC \
	(IPCSCOPE_FAMILY_HOOKED &					\
	 ~(IPCSCOPE_FAMILY_HANDLERS | IPCSCOPE_FAMILY_FUTEX_ALL))

/* What a trace hooks that is not asked for more. */
#define IPCSCOPE_FAMILY_DEFAULT \
	(IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_PIPES | IPCSCOPE_FAMILY_KILLS)

#endif /* IPCSCOPE_FAMILY_H */
