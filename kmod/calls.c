// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locks are leaves, taken with interrupts off: the scheduler's hooks come
 * here with its own locks held.  Most of their tasks are in no call, and an
 * empty bucket costs them one look.
 */
#include <linux/hash.h>
#include <linux/vmalloc.h>

#include "calls.h"

#define BUCKET_BITS	10

static struct scope_bucket *bucket_of(struct scope_calls *calls, pid_t tid)
{
	return &calls->buckets[hash_32(tid, BUCKET_BITS)];
}

int scope_calls_init(struct scope_calls *calls)
{
	unsigned int i;

	calls->buckets = vzalloc(sizeof(*calls->buckets) << BUCKET_BITS);
	if (!calls->buckets)
		return -ENOMEM;
	for (i = 0; i < 1 << BUCKET_BITS; i++)
		raw_spin_lock_init(&calls->buckets[i].lock);
	return 0;
}

void scope_calls_free(struct scope_calls *calls)
{
	vfree(calls->buckets);
	calls->buckets = NULL;
}

bool scope_call_enter(struct scope_calls *calls, struct scope_call *call)
{
	struct scope_bucket *bucket = bucket_of(calls, call->tid);
	unsigned long flags;
	bool open;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	open = !calls->closed;
	if (open)
		hlist_add_head(&call->node, &bucket->calls);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return open;
}

bool scope_call_leave(struct scope_calls *calls, struct scope_call *call)
{
	struct scope_bucket *bucket = bucket_of(calls, call->tid);
	unsigned long flags;
	bool ours;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	ours = !hlist_unhashed(&call->node);
	hlist_del_init(&call->node);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return ours;
}

u16 scope_call_abandon(struct scope_calls *calls, pid_t tid, u64 *enter_ns)
{
	struct scope_bucket *bucket = bucket_of(calls, tid);
	struct scope_call *call;
	struct hlist_node *next;
	unsigned long flags;
	u16 kind = 0;

	if (hlist_empty(&bucket->calls))
		return 0;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(call, next, &bucket->calls, node) {
		if (call->tid != tid)
			continue;
		hlist_del_init(&call->node);
		kind = call->kind;
		*enter_ns = call->enter_ns;
		break;
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return kind;
}

/* A core dump writes to a pipe inside of get_signal(): both are here then. */
void scope_call_visit(struct scope_calls *calls, pid_t tid,
		      void (*visit)(struct scope_call *call, void *data),
		      void *data)
{
	struct scope_bucket *bucket = bucket_of(calls, tid);
	struct scope_call *call;
	unsigned long flags;

	if (hlist_empty(&bucket->calls))
		return;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(call, &bucket->calls, node) {
		if (call->tid != tid || call->kind == IPCSCOPE_SIGNAL_GET)
			continue;
		visit(call, data);
		break;
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

void scope_calls_close(struct scope_calls *calls)
{
	unsigned long flags;
	unsigned int i;

	/* Whoever gets a bucket's lock after us sees it. */
	WRITE_ONCE(calls->closed, true);
	for (i = 0; i < 1 << BUCKET_BITS; i++) {
		raw_spin_lock_irqsave(&calls->buckets[i].lock, flags);
		raw_spin_unlock_irqrestore(&calls->buckets[i].lock, flags);
	}
}

void scope_calls_drain(struct scope_calls *calls,
		       void (*visit)(struct scope_call *call, void *data),
		       void *data)
{
	struct scope_bucket *bucket;
	struct scope_call *call;
	struct hlist_node *next;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < 1 << BUCKET_BITS; i++) {
		bucket = &calls->buckets[i];
		raw_spin_lock_irqsave(&bucket->lock, flags);
		hlist_for_each_entry_safe(call, next, &bucket->calls, node) {
			visit(call, data);
			hlist_del_init(&call->node);
		}
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
	}
}
