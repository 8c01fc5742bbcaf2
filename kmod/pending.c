// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that are pending, for `ipcscope stat`: from the generation to the taking.
 *
 *   owner   the thread that a signal was sent to, or the signal_struct of the
 *           process
 *   queue   of an owner and a signal number: when each one that is pending was
 *           generated; it exists while there is one
 *
 * All queues of an owner are in the bucket of its hash.  A bucket's lock is a leaf
 * but for that of the free slots, and taken with interrupts off.
 */
#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/vmalloc.h>

#include <ipcscope/policy.h>

#include "stat.h"
#include "take.h"

#define BUCKET_BITS_MAX	14

int scope_pending_init(struct scope_stat *stat, u32 slots)
{
	u32 i;

	stat->bucket_bits = clamp_t(u32, ilog2(slots), 1, BUCKET_BITS_MAX);
	stat->slots = vmalloc_user(array_size(slots, sizeof(*stat->slots)));
	stat->pending = vzalloc(array_size(slots, sizeof(*stat->pending)));
	stat->buckets = vzalloc(sizeof(*stat->buckets) << stat->bucket_bits);
	if (!stat->slots || !stat->pending || !stat->buckets)
		return -ENOMEM;
	raw_spin_lock_init(&stat->free_lock);
	for (i = 0; i < 1u << stat->bucket_bits; i++)
		raw_spin_lock_init(&stat->buckets[i].lock);
	for (i = 0; i < slots; i++) {
		stat->pending[i].slot = &stat->slots[i];
		hlist_add_head(&stat->pending[i].node, &stat->free);
	}
	return 0;
}

void scope_pending_free(struct scope_stat *stat)
{
	vfree(stat->slots);
	vfree(stat->pending);
	vfree(stat->buckets);
}

static struct scope_pending_bucket *bucket_of(struct scope_stat *stat,
					      const void *owner)
{
	return &stat->buckets[hash_ptr(owner, stat->bucket_bits)];
}

/* With the bucket locked, as all that follows; NULL: nothing of it is pending. */
static struct scope_pending *find_queue(struct scope_pending_bucket *bucket,
					const void *owner, int sig)
{
	struct scope_pending *pending;

	hlist_for_each_entry(pending, &bucket->queues, node)
		if (pending->owner == owner && pending->sig == sig)
			return pending;
	return NULL;
}

/* NULL: no slot is left. */
static struct scope_pending *make_queue(struct scope_stat *stat,
					struct scope_pending_bucket *bucket,
					const void *owner, int sig)
{
	struct scope_pending *pending = NULL;

	raw_spin_lock(&stat->free_lock);
	if (!hlist_empty(&stat->free)) {
		pending = hlist_entry(stat->free.first, struct scope_pending,
				      node);
		hlist_del(&pending->node);
	}
	raw_spin_unlock(&stat->free_lock);
	if (!pending)
		return NULL;
	pending->owner = owner;
	pending->sig = sig;
	/* The reader needs the number, and is shown no address. */
	pending->slot->key = (u64)sig << IPCSCOPE_STAT_OWNER_BITS | 1;
	hlist_add_head(&pending->node, &bucket->queues);
	return pending;
}

static void free_queue(struct scope_stat *stat, struct scope_pending *pending)
{
	pending->slot->key = 0;
	pending->slot->queue.count = 0;
	pending->slot->queue.deep = 0;
	hlist_del(&pending->node);
	raw_spin_lock(&stat->free_lock);
	hlist_add_head(&pending->node, &stat->free);
	raw_spin_unlock(&stat->free_lock);
}

static void end_queue(struct scope_stat *stat, struct scope_pending *pending,
		      u32 cause)
{
	scope_count_unpaired(stat, pending->sig, cause,
			     pending->slot->queue.count);
	free_queue(stat, pending);
}

static u64 oldest(const struct ipcscope_stat_queue *queue)
{
	return queue->generated_ns[queue->head % IPCSCOPE_STAT_DEPTH];
}

static void drop_oldest(struct ipcscope_stat_queue *queue)
{
	queue->head++;
	queue->count--;
}

static bool is_timer(const struct kernel_siginfo *info)
{
	return scope_has_info(info) && info->si_code == SI_TIMER;
}

/*
 * The kernel queues a standard signal only where none of its number is pending,
 * unless it is of a POSIX timer: what there was has left the queue.
 */
static void push(struct scope_stat *stat, struct scope_pending *pending,
		 const struct kernel_siginfo *info, u64 now)
{
	struct ipcscope_stat_queue *queue = &pending->slot->queue;

	if (queue->count && !ipcscope_is_realtime(pending->sig) &&
	    !is_timer(info)) {
		scope_count_unpaired(stat, pending->sig,
				     IPCSCOPE_UNPAIRED_FLUSHED, queue->count);
		queue->count = 0;
		queue->deep = 0;
	}
	if (queue->deep || queue->count == IPCSCOPE_STAT_DEPTH) {
		queue->deep++;
		scope_count_unpaired(stat, pending->sig,
				     IPCSCOPE_UNPAIRED_DEEP, 1);
		return;
	}
	queue->generated_ns[(queue->head + queue->count) %
			    IPCSCOPE_STAT_DEPTH] = now;
	queue->count++;
}

void scope_pending_add(struct scope_stat *stat, struct task_struct *target,
		       int group, int sig, const struct kernel_siginfo *info,
		       u64 now)
{
	const void *owner = group ? (void *)target->signal : (void *)target;
	struct scope_pending_bucket *bucket = bucket_of(stat, owner);
	struct scope_pending *pending;

	raw_spin_lock(&bucket->lock);
	pending = find_queue(bucket, owner, sig) ?:
		  make_queue(stat, bucket, owner, sig);
	if (pending)
		push(stat, pending, info, now);
	else
		scope_count_unpaired(stat, sig, IPCSCOPE_UNPAIRED_NO_ROOM, 1);
	raw_spin_unlock(&bucket->lock);
}

/*
 * False: there is none.  0 ns: it is one of those that are not kept, and has been
 * counted as unpaired.
 */
static bool pop(struct scope_stat *stat, const void *owner, int sig,
		u64 *generated_ns)
{
	struct scope_pending_bucket *bucket = bucket_of(stat, owner);
	struct ipcscope_stat_queue *queue;
	struct scope_pending *pending;

	*generated_ns = 0;
	if (hlist_empty(&bucket->queues))
		return false;
	raw_spin_lock(&bucket->lock);
	pending = find_queue(bucket, owner, sig);
	if (pending) {
		queue = &pending->slot->queue;
		if (queue->count) {
			*generated_ns = oldest(queue);
			drop_oldest(queue);
		} else {
			queue->deep--;
		}
		if (!queue->count && !queue->deep)
			free_queue(stat, pending);
	}
	raw_spin_unlock(&bucket->lock);
	return pending;
}

/* Of the thread's own queue, which the kernel empties first, or its process's. */
u64 scope_pending_take(struct scope_stat *stat, int sig)
{
	u64 generated_ns;

	if (!pop(stat, current, sig, &generated_ns))
		pop(stat, current->signal, sig, &generated_ns);
	return generated_ns;
}

static void flush(struct scope_stat *stat, const void *owner, u64 signals)
{
	struct scope_pending_bucket *bucket = bucket_of(stat, owner);
	struct scope_pending *pending;
	struct hlist_node *next;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry_safe(pending, next, &bucket->queues, node)
		if (pending->owner == owner &&
		    (signals & IPCSCOPE_SIG_BIT(pending->sig)))
			end_queue(stat, pending, IPCSCOPE_UNPAIRED_FLUSHED);
	raw_spin_unlock(&bucket->lock);
}

/* In queues of its process's other threads it shows as they are used, or end. */
void scope_pending_flush(struct scope_stat *stat, struct task_struct *target,
			 int sig)
{
	u64 signals = 0;

	if (sig == SIGCONT)
		signals = IPCSCOPE_STOP_SIGNALS;
	else if (IPCSCOPE_STOP_SIGNALS & IPCSCOPE_SIG_BIT(sig))
		signals = IPCSCOPE_SIG_BIT(SIGCONT);
	else
		return;
	flush(stat, target, signals);
	flush(stat, target->signal, signals);
}

static void discard(struct scope_stat *stat, const void *owner, int sig,
		    u64 until)
{
	struct scope_pending_bucket *bucket = bucket_of(stat, owner);
	struct ipcscope_stat_queue *queue;
	struct scope_pending *pending;

	raw_spin_lock(&bucket->lock);
	pending = find_queue(bucket, owner, sig);
	if (pending) {
		queue = &pending->slot->queue;
		queue->deep = 0;
		while (queue->count && oldest(queue) <= until) {
			drop_oldest(queue);
			scope_count_unpaired(stat, sig,
					     IPCSCOPE_UNPAIRED_FLUSHED, 1);
		}
		if (!queue->count)
			free_queue(stat, pending);
	}
	raw_spin_unlock(&bucket->lock);
}

void scope_pending_discard(struct scope_stat *stat, int sig, u64 until)
{
	discard(stat, current, sig, until);
	discard(stat, current->signal, sig, until);
}

void scope_pending_drop(struct scope_stat *stat, const void *owner)
{
	struct scope_pending_bucket *bucket = bucket_of(stat, owner);
	struct scope_pending *pending;
	struct hlist_node *next;

	if (hlist_empty(&bucket->queues))
		return;
	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry_safe(pending, next, &bucket->queues, node)
		if (pending->owner == owner)
			end_queue(stat, pending, IPCSCOPE_UNPAIRED_EXITED);
	raw_spin_unlock(&bucket->lock);
}
