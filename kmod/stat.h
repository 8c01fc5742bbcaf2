/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `ipcscope stat`: events are added to the cell of their row and CPU, and make no
 * record (include/uapi/ipcscope/stat.h).  The reader maps the areas.
 *
 *   without --by   index[event]       --> row --> cells[cpu][row]
 *   with it        {by, event}, hashed --> row --> cells[cpu][row]
 *
 * All is called with interrupts off: a CPU's cells and tallies have one writer.
 */
#ifndef IPCSCOPE_KMOD_STAT_H
#define IPCSCOPE_KMOD_STAT_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <ipcscope/stat.h>
#include <ipcscope/transport.h>

struct ipcscope_call;
struct ipcscope_signal_take;
struct kernel_siginfo;
struct scope_call;
struct scope_trace;
struct task_struct;

/* Who has a slot, beside the slot itself, which the reader sees. */
struct scope_pending {
	struct hlist_node node;		/* in its owner's bucket, or free */
	const void *owner;		/* a task_struct, or a signal_struct */
	struct ipcscope_stat_slot *slot;
	u8 sig;
};

struct scope_pending_bucket {
	raw_spinlock_t lock;
	struct hlist_head queues;
};

struct scope_stat {
	/* Mapped by the reader. */
	struct ipcscope_stat_key *keys;		/* by row; event 0: not used */
	struct ipcscope_stat_cell *cells;	/* by CPU, then by row */
	struct ipcscope_stat_tallies *tallies;	/* by CPU */
	struct ipcscope_stat_slot *slots;

	u32 by;
	u32 rows;
	u32 used;			/* rows that have a key */
	raw_spinlock_t lock;		/* of making a row */
	u32 *index;			/* of an event, or a hash: row + 1 */
	u32 index_mask;

	struct scope_pending *pending;	/* by slot */
	struct scope_pending_bucket *buckets;
	unsigned int bucket_bits;
	raw_spinlock_t free_lock;
	struct hlist_head free;
};

/* trace->stat stays NULL where it makes records. */
int scope_stat_init(struct scope_trace *trace);
void scope_stat_free(struct scope_trace *trace);

/* Bytes that a trace of this configuration takes, of what grows with it. */
u64 scope_stat_bytes(const struct ipcscope_start *config, unsigned int cpus);

/* The area of one of IPCSCOPE_MAP_STAT_, and its size; NULL: there is none. */
void *scope_stat_area(struct scope_trace *trace, u64 offset, size_t *bytes);

/* `wanted`: the target is, and not the sender alone. */
void scope_stat_generated(struct scope_trace *trace, int sig,
			  const struct kernel_siginfo *info,
			  struct task_struct *target, int group, int result,
			  bool wanted, u64 now);

/* `task` took a signal; take->value: when it was generated, 0: not known. */
void scope_stat_taken(struct scope_trace *trace, struct task_struct *task,
		      const struct ipcscope_signal_take *take, u8 how, u64 now);

/* current's call returns. */
void scope_stat_call(struct scope_trace *trace, const struct scope_call *call,
		     int ret, u64 now);

/* Its other end, after that. */
void scope_stat_call_untimed(struct scope_trace *trace,
			     const struct scope_call *call, int ret);

/* pending.c */
int scope_pending_init(struct scope_stat *stat, u32 slots);
void scope_pending_free(struct scope_stat *stat);

/* One that the kernel queued to its target, or its process (`group`). */
void scope_pending_add(struct scope_stat *stat, struct task_struct *target,
		       int group, int sig, const struct kernel_siginfo *info,
		       u64 now);

/*
 * The oldest that is pending of current, which takes it: when it was generated.
 * 0: not known, or it is counted already.
 */
u64 scope_pending_take(struct scope_stat *stat, int sig);

/* A stop signal removes SIGCONT, and the reverse. */
void scope_pending_flush(struct scope_stat *stat, struct task_struct *target,
			 int sig);

/* sigaction() of current has discarded what was generated until `until`. */
void scope_pending_discard(struct scope_stat *stat, int sig, u64 until);

/* It is gone. */
void scope_pending_drop(struct scope_stat *stat, const void *owner);

/* This CPU's; `sig`: 1 .. 64. */
static inline struct ipcscope_stat_tally *
scope_tally_of(const struct scope_stat *stat, int sig)
{
	return &stat->tallies[raw_smp_processor_id()].signal[sig - 1];
}

static inline void scope_count_unpaired(const struct scope_stat *stat, int sig,
					u32 cause, u32 number)
{
	__u64 *count = &scope_tally_of(stat, sig)->unpaired[cause];

	WRITE_ONCE(*count, *count + number);
}

#endif /* IPCSCOPE_KMOD_STAT_H */
