/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of each thread that is traced: its time, the call and the
 * taking of a signal that are under way, and its name as last recorded.
 *
 * The key is the task, since its number changes where a thread that is not the
 * leader executes a program.  A state is taken out at the thread's last context
 * switch, before the task can be freed: a task in the table exists.  All states
 * are allocated at the start, because most are taken in scheduler context.
 *
 * The buckets' locks are leaves, taken with interrupts off: the scheduler's
 * hooks run with its own locks held.  What belongs to a thread is written in its
 * own context with interrupts off, or with its bucket locked while it is off the
 * CPU; but its name by any sender, too: at worst there is a THREAD record too
 * many.
 */
#ifndef IPCSCOPE_THREADS_H
#define IPCSCOPE_THREADS_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <ipcscope/account.h>
#include <ipcscope/record.h>
#include <ipcscope/splice.h>

struct task_struct;

struct scope_thread {
	struct hlist_node node;		/* in its bucket, or among the free */
	struct task_struct *task;	/* NULL: free */
	struct ipcscope_account account;
	struct ipcscope_call call;	/* open where account.call is set */
	struct ipcscope_splice splice;	/* likewise, of a CALL_SPLICE */
	struct ipcscope_signal_take take;	/* open where its sig is set */
	u64 get_signal_ns;		/* entry of the last get_signal() */
	u32 tgid;			/* both as the trace ended */
	u32 tid;
	u8 comm[IPCSCOPE_COMM_LEN];	/* of its last THREAD record */
	bool named;			/* it has one */
	bool commanded;			/* a COMMAND, since its execve() */
};

struct scope_bucket {
	raw_spinlock_t lock;
	struct hlist_head threads;
};

struct scope_threads {
	struct scope_bucket *buckets;
	unsigned int bits;		/* of the number of buckets */
	struct scope_thread *all;
	u32 size;
	raw_spinlock_t free_lock;
	struct hlist_head free;		/* those that have been used */
	u32 used;			/* all[used] and on never were */
};

int scope_threads_init(struct scope_threads *threads, u32 size);
void scope_threads_free(struct scope_threads *threads);

static inline struct scope_bucket *
scope_bucket_of(struct scope_threads *threads, const struct task_struct *task)
{
	return &threads->buckets[hash_ptr(task, threads->bits)];
}

/* With the bucket locked; NULL: the task has no state. */
static inline struct scope_thread *
scope_thread_find(struct scope_bucket *bucket, const struct task_struct *task)
{
	struct scope_thread *thread;

	hlist_for_each_entry(thread, &bucket->threads, node)
		if (thread->task == task)
			return thread;
	return NULL;
}

/*
 * current's, without the lock, where it is the first of its bucket; NULL: look for
 * it with the bucket locked.  States are never freed, and only current's own has
 * current for its task: it stays until its last switch.
 */
static inline struct scope_thread *
scope_thread_own(const struct scope_bucket *bucket)
{
	struct hlist_node *first = READ_ONCE(bucket->threads.first);
	struct scope_thread *thread;

	if (!first)
		return NULL;
	thread = hlist_entry(first, struct scope_thread, node);
	return READ_ONCE(thread->task) == current ? thread : NULL;
}

/*
 * A state for a task that has none, with the bucket locked; its time counts
 * from `now`, and it runs.  NULL: all are in use.
 */
struct scope_thread *scope_thread_add(struct scope_threads *threads,
				      struct scope_bucket *bucket,
				      struct task_struct *task, u64 now);

/* With the bucket locked. */
void scope_thread_remove(struct scope_threads *threads,
			 struct scope_thread *thread);

/*
 * Takes one that has not ended by the end of the trace out of the table, with its
 * bucket locked; what it holds stays until scope_threads_free().
 */
void scope_thread_close(struct scope_thread *thread);

/* The same for all.  No hook adds any meanwhile. */
void scope_threads_close(struct scope_threads *threads);

#endif /* IPCSCOPE_THREADS_H */
