/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ledger: what became of every event, counted per CPU and kind.
 *
 *     generated == emitted + filtered + sum(lost)        on every CPU
 *     emitted   == records that the ring of that CPU ever held
 *
 * A backend adds to it with atomic adds only, so that it stays exact when an
 * interrupt nests; it is never reset while attached.  generated is the sum
 * above and is not stored.
 */
#ifndef IPCSCOPE_LEDGER_H
#define IPCSCOPE_LEDGER_H

#include "record.h"

/* Why an event that passed the filters did not reach its reader. */
#define IPCSCOPE_LOST_RING_FULL		0	/* the reader was too slow */
#define IPCSCOPE_LOST_RING_BUSY		1	/* the ring was locked (NMI only) */
#define IPCSCOPE_LOST_TABLE_FULL	2	/* no room to remember a call */
#define IPCSCOPE_LOST_RECURSION		3	/* hook skipped by the kernel */
#define IPCSCOPE_LOST_CAPTURE		4	/* collector could not write */
#define IPCSCOPE_LOST_DAMAGED		5	/* capture file damaged */
#define IPCSCOPE_LOST_COUNT		6

struct ipcscope_tally {
	__u64 emitted;
	__u64 filtered;
	__u64 lost[IPCSCOPE_LOST_COUNT];
};

struct ipcscope_ledger {
	struct ipcscope_tally kind[IPCSCOPE_KIND_COUNT];
	__u64 lost;			/* sum over kinds: header.lost_before */
};

IPCSCOPE_ASSERT_SIZE(ipcscope_tally, 64);
IPCSCOPE_ASSERT_SIZE(ipcscope_ledger, IPCSCOPE_KIND_COUNT * 64 + 8);

#endif /* IPCSCOPE_LEDGER_H */
