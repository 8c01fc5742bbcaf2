/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ipcscope transport, version 2: how a reader gets records (record.h) and
 * ledgers (ledger.h) from the kernel module, through /dev/ipcscope.
 *
 * One reader
 *   open()          needs CAP_PERFMON or CAP_SYS_ADMIN in the initial user
 *                   namespace; EBUSY while another reader has it open
 *   IOC_ABOUT       versions, number of CPUs; the reader compares and leaves
 *   IOC_FILTER      any number of times: adds to the sets of filters
 *   IOC_START       makes the rings, hooks the kernel, notes which threads there
 *                   are and what they do, and then lets all hooks count from one
 *                   instant, status.start_ns.  Once.
 *                   ENOTRECOVERABLE after a probe that could not be taken away
 *   mmap()          each area by itself, as below
 *   poll()          until a ring is filled to the mark, or the trace ended
 *   IOC_STOP        no hook counts from status.stop_ns on; takes them away;
 *                   rings and ledgers are final
 *   IOC_UNFINISHED  records of what had not ended by then, one by one: calls, and
 *                   the time of threads that are in none
 *   close()         stops what still runs, frees all (after the last munmap)
 *
 *           (open) --FILTER--> (open) --START--> (running) --STOP--> (stopped)
 *
 * What is called in another state fails with EINVAL, an unknown request with
 * ENOTTY; a reserved field that is not zero, or an id out of range, fails
 * with EINVAL.
 *
 * Three kinds of memory, one mapping each
 *
 *   offset              size                    access
 *   MAP_STATUS          status + cpus * cpu     read    the module writes it
 *   MAP_CONSUMER        cpus * consumer         write   the reader writes it
 *   MAP_RING(cpu)       ring_bytes              read    the module writes it
 *
 * (sizes in whole pages).  The read-only areas cannot be made writable.
 *
 * A ring is a sequence of bytes that never ends, of which the last ring_bytes
 * are kept; a position counts all bytes before it, and byte p is at offset
 * p % ring_bytes, so a record may go on at the beginning of the area.
 *
 *      consumer.position            cpu.position
 *            |                           |
 *   ---------v---------------------------v----------
 *    read    | [record][record][record]  |  free
 *   ---------+---------------------------+----------
 *            <------ at most ring_bytes ->
 *
 *   module   writes the record, then cpu.position (release)
 *   reader   reads cpu.position (acquire), then the records, then writes
 *            consumer.position (release)
 *
 * There are whole records only between the two.  The module reads a consumer's
 * position once for each record and takes one that makes no sense (before
 * what was kept, or ahead of what there is) for a full ring: a reader can lose
 * its own records by it, nothing more.
 *
 * The ledgers are read at any time; each number is exact, but while the trace
 * runs they are not of one instant.  After STOP they are final.
 *
 * A trace with start.stat_rows (stat.h) writes no record, but to four areas more,
 * which are read at any time, as the ledgers are:
 *
 *   MAP_STAT_KEYS       stat_rows * stat_key       row to key; event 0: not used yet
 *   MAP_STAT_CELLS      cpus * stat_rows * stat_cell
 *   MAP_STAT_TALLIES    cpus * stat_tallies
 *   MAP_STAT_SLOTS      stat_pending * stat_slot   what is pending
 *
 * heartbeat_ns is written at least every IPCSCOPE_HEARTBEAT_NS while running:
 * where it stands still for several, the module is dead or gone.
 */
#ifndef IPCSCOPE_TRANSPORT_H
#define IPCSCOPE_TRANSPORT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "family.h"
#include "ledger.h"
#include "stat.h"

#define IPCSCOPE_TRANSPORT_VERSION	2

#define IPCSCOPE_DEVICE			"ipcscope"	/* in /dev */
#define IPCSCOPE_HEARTBEAT_NS		500000000ULL

#define IPCSCOPE_MAP_STATUS		0ULL
#define IPCSCOPE_MAP_CONSUMER		0x100000000ULL
#define IPCSCOPE_MAP_RING(cpu)		(((cpu) + 2ULL) << 32)

#define IPCSCOPE_MAP_STAT_KEYS		0x1000000ULL
#define IPCSCOPE_MAP_STAT_CELLS		0x2000000ULL
#define IPCSCOPE_MAP_STAT_TALLIES	0x3000000ULL
#define IPCSCOPE_MAP_STAT_SLOTS		0x4000000ULL

#define IPCSCOPE_STAT_ROWS_MAX		16384u
#define IPCSCOPE_STAT_PENDING_MAX	1048576u

#define IPCSCOPE_RING_MIN		4096ULL
#define IPCSCOPE_RING_MAX		0x40000000ULL	/* 1 GiB */

/* The status area begins with this ... */
struct ipcscope_status {
	__u64 heartbeat_ns;		/* CLOCK_MONOTONIC, as all times */
	__u64 ring_bytes;
	__u32 cpus;
	__u32 pad;
	__u64 start_ns;			/* the trace's window */
	__u64 stop_ns;			/* 0: it runs */
	__u64 pad2[3];
};

/* ... and has one of these for each possible CPU. */
struct ipcscope_cpu {
	__u64 position;			/* end of the last record */
	__u64 pad[7];
	struct ipcscope_ledger ledger;
	__u64 pad2[7];			/* to a whole cache line */
};

struct ipcscope_consumer {
	__u64 position;			/* end of what has been read */
	__u64 pad[7];
};

#define IPCSCOPE_VERSION_LEN		32

struct ipcscope_about {
	__u32 transport;		/* IPCSCOPE_TRANSPORT_VERSION */
	__u32 schema;			/* IPCSCOPE_SCHEMA_VERSION */
	__u32 cpus;			/* possible CPUs */
	__u32 hooks;			/* that IOC_HOOK knows */
	char version[IPCSCOPE_VERSION_LEN];
	__u64 reserved[2];
};

/* filter.type, and (1 << type) in start.filters */
#define IPCSCOPE_FILTER_TGID		0	/* id: a process */
#define IPCSCOPE_FILTER_TID		1	/* id: a thread */
#define IPCSCOPE_FILTER_COMM		2	/* comm, padded with NUL */
#define IPCSCOPE_FILTER_CGROUP		3	/* id: inode of a cgroup v2 */
#define IPCSCOPE_FILTER_FOLLOWED	4	/* id: a process, beside TGID and TID */
#define IPCSCOPE_FILTER_COUNT		5

#define IPCSCOPE_FILTER_NAMES		256	/* most comms, most cgroups */

struct ipcscope_filter {
	__u32 type;			/* IPCSCOPE_FILTER_ */
	__u32 reserved;
	__u64 id;
	char comm[IPCSCOPE_COMM_LEN];
};

/* start.follow */
#define IPCSCOPE_FOLLOW_NONE		0
#define IPCSCOPE_FOLLOW_COMMAND		1	/* children of followed ones */
#define IPCSCOPE_FOLLOW_ALL		2	/* of wanted tasks, whatever their name, cgroup */

#define IPCSCOPE_THREADS_MAX		4194304u

struct ipcscope_start {
	__u32 transport;		/* the reader's: EPROTO if another */
	__u32 schema;
	__u64 signal_mask;		/* bit (n - 1): signal n is wanted */
	__u32 families;			/* IPCSCOPE_FAMILY_, family.h */
	__u32 filters;			/* types of which one must match */
	__u32 follow;
	__u32 max_threads;		/* whose time is accounted for at once */
	__u64 ring_bytes;		/* a power of two, at least a page */
	__u64 wakeup_bytes;		/* 1 .. ring_bytes */
	__u32 stat_rows;		/* 0: records; else none, see below */
	__u32 stat_pending;		/* targets and numbers of pending signals */
	__u32 stat_by;			/* IPCSCOPE_STAT_BY_ */
	__u32 reserved;
};

struct ipcscope_stop {
	__u32 unfinished;		/* that IOC_UNFINISHED has */
	__u32 reserved;
};

struct ipcscope_unfinished {
	__u32 index;			/* in: 0 .. stop.unfinished - 1 */
	__u32 reserved;
	/* out: a record of header.size bytes with IPCSCOPE_UNFINISHED set */
	__u8 record[IPCSCOPE_UNFINISHED_BYTES] __attribute__((aligned(8)));
};

/* hook.flags */
#define IPCSCOPE_HOOK_ATTACHED		0x1
#define IPCSCOPE_HOOK_REQUIRED		0x2	/* its families need it */

struct ipcscope_hook {
	__u32 index;			/* in: 0 .. about.hooks - 1 */
	__u32 flags;			/* out, as all that follows */
	__u32 families;
	__s32 error;			/* -errno of the last try to attach */
	char name[32];			/* "signal generated" */
	char target[32];		/* "signal_generate", or what was tried */
	char mechanism[16];		/* "tracepoint", "kretprobe" */
};

#define IPCSCOPE_IOC_MAGIC	0xe1
#define IPCSCOPE_IOC_ABOUT	_IOR(IPCSCOPE_IOC_MAGIC, 0, struct ipcscope_about)
#define IPCSCOPE_IOC_FILTER	_IOW(IPCSCOPE_IOC_MAGIC, 1, struct ipcscope_filter)
#define IPCSCOPE_IOC_START	_IOW(IPCSCOPE_IOC_MAGIC, 2, struct ipcscope_start)
#define IPCSCOPE_IOC_STOP	_IOWR(IPCSCOPE_IOC_MAGIC, 3, struct ipcscope_stop)
#define IPCSCOPE_IOC_UNFINISHED \
	_IOWR(IPCSCOPE_IOC_MAGIC, 4, struct ipcscope_unfinished)
#define IPCSCOPE_IOC_HOOK	_IOWR(IPCSCOPE_IOC_MAGIC, 5, struct ipcscope_hook)

IPCSCOPE_ASSERT_SIZE(ipcscope_status, 64);
IPCSCOPE_ASSERT_AT(ipcscope_status, cpus, 16);
IPCSCOPE_ASSERT_AT(ipcscope_status, start_ns, 24);
IPCSCOPE_ASSERT(sizeof(struct ipcscope_cpu) % 64 == 0);
IPCSCOPE_ASSERT_AT(ipcscope_cpu, ledger, 64);
IPCSCOPE_ASSERT_SIZE(ipcscope_consumer, 64);
IPCSCOPE_ASSERT_SIZE(ipcscope_about, 64);
IPCSCOPE_ASSERT_AT(ipcscope_about, version, 16);
IPCSCOPE_ASSERT_SIZE(ipcscope_filter, 32);
IPCSCOPE_ASSERT_AT(ipcscope_filter, id, 8);
IPCSCOPE_ASSERT_SIZE(ipcscope_start, 64);
IPCSCOPE_ASSERT_AT(ipcscope_start, families, 16);
IPCSCOPE_ASSERT_AT(ipcscope_start, ring_bytes, 32);
IPCSCOPE_ASSERT_SIZE(ipcscope_stop, 8);
IPCSCOPE_ASSERT_SIZE(ipcscope_unfinished, 184);
IPCSCOPE_ASSERT_SIZE(ipcscope_hook, 96);

#endif /* IPCSCOPE_TRANSPORT_H */
