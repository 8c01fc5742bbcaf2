// SPDX-License-Identifier: GPL-2.0-only
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "threads.h"

#define BUCKET_BITS_MIN	4
#define BUCKET_BITS_MAX	16

static u32 bucket_count(const struct scope_threads *threads)
{
	return 1u << threads->bits;
}

int scope_threads_init(struct scope_threads *threads, u32 size)
{
	u32 i;

	threads->bits = clamp_t(unsigned int, ilog2(size), BUCKET_BITS_MIN,
				BUCKET_BITS_MAX);
	threads->buckets = vzalloc(bucket_count(threads) *
				   sizeof(*threads->buckets));
	threads->all = vmalloc((unsigned long)size * sizeof(*threads->all));
	if (!threads->buckets || !threads->all)
		return -ENOMEM;
	threads->size = size;
	threads->used = 0;
	INIT_HLIST_HEAD(&threads->free);
	raw_spin_lock_init(&threads->free_lock);
	for (i = 0; i < bucket_count(threads); i++)
		raw_spin_lock_init(&threads->buckets[i].lock);
	return 0;
}

void scope_threads_free(struct scope_threads *threads)
{
	vfree(threads->buckets);
	vfree(threads->all);
	threads->buckets = NULL;
	threads->all = NULL;
	threads->used = 0;
}

static struct scope_thread *take_free(struct scope_threads *threads)
{
	struct scope_thread *thread = NULL;

	raw_spin_lock(&threads->free_lock);
	if (!hlist_empty(&threads->free)) {
		thread = hlist_entry(threads->free.first, struct scope_thread,
				     node);
		hlist_del(&thread->node);
	} else if (threads->used < threads->size) {
		thread = &threads->all[threads->used++];
	}
	raw_spin_unlock(&threads->free_lock);
	return thread;
}

struct scope_thread *scope_thread_add(struct scope_threads *threads,
				      struct scope_bucket *bucket,
				      struct task_struct *task, u64 now)
{
	struct scope_thread *thread = take_free(threads);

	if (!thread)
		return NULL;
	memset(thread, 0, sizeof(*thread));
	thread->task = task;
	ipcscope_account_begin(&thread->account, now);
	smp_wmb();	/* scope_thread_own() finds all of it */
	hlist_add_head(&thread->node, &bucket->threads);
	return thread;
}

void scope_thread_remove(struct scope_threads *threads,
			 struct scope_thread *thread)
{
	hlist_del(&thread->node);
	thread->task = NULL;
	raw_spin_lock(&threads->free_lock);
	hlist_add_head(&thread->node, &threads->free);
	raw_spin_unlock(&threads->free_lock);
}

void scope_thread_close(struct scope_thread *thread)
{
	/* In the table: its task exists. */
	thread->tgid = thread->task->tgid;
	thread->tid = thread->task->pid;
	hlist_del_init(&thread->node);
}

void scope_threads_close(struct scope_threads *threads)
{
	struct scope_bucket *bucket;
	struct scope_thread *thread;
	struct hlist_node *next;
	unsigned long flags;
	u32 i;

	for (i = 0; i < bucket_count(threads); i++) {
		bucket = &threads->buckets[i];
		raw_spin_lock_irqsave(&bucket->lock, flags);
		hlist_for_each_entry_safe(thread, next, &bucket->threads, node)
			scope_thread_close(thread);
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
	}
}
