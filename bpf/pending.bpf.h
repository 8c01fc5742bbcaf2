/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals that are pending, for `ipcscope stat`: from the generation to the taking.
 *
 *   owner   the thread that a signal was sent to, or the signal_struct of the
 *           process
 *   queue   of an owner and a signal number: when each one that is pending was
 *           generated; it exists while there is one
 *
 *   stat_buckets[hash(owner)].key[i] == {signal, owner}  ─►  stat_queues[hash * 8 + i]
 *
 * All queues of an owner are in the bucket of its hash, or in one of the next
 * seven; `elsewhere` says that there are such.
 *
 * Every use of a queue but discard() holds the siglock of its owner's process, with
 * interrupts off, or comes after the owner's last thread (sched_process_free).  So
 * only the claim of a free slot is atomic (table.bpf.h).
 */
#ifndef IPCSCOPE_PENDING_BPF_H
#define IPCSCOPE_PENDING_BPF_H

#include "stat.bpf.h"

/* The object that writes records has none of these maps. */
#if IPCSCOPE_STAT
#define STAT_GLOBAL GLOBAL
#else
#define STAT_GLOBAL NOINLINE
#endif

#define OWNER_BUCKETS	8
#define OWNER_SLOTS	(OWNER_BUCKETS * IPCSCOPE_BUCKET_SLOTS)

struct stat_tallies_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_stat_tallies);
};

struct stat_queues_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_stat_queue);
};

extern struct stat_tallies_map stat_tallies SEC(".maps");
extern struct buckets_map stat_buckets SEC(".maps");
extern struct stat_queues_map stat_queues SEC(".maps");

/* This CPU's; `sig`: 1 .. 64. */
static __always_inline struct ipcscope_stat_tally *tally_of_signal(int sig)
{
	__u32 cpu = bpf_get_smp_processor_id(), i = sig - 1;
	struct ipcscope_stat_tallies *tallies =
		bpf_map_lookup_elem(&stat_tallies, &cpu);

	asm volatile("" : "+r"(i));
	return tallies ? &tallies->signal[i & (IPCSCOPE_SIGNALS_COUNT - 1)] :
			 NULL;
}

static __always_inline void count_paired(int sig)
{
	struct ipcscope_stat_tally *tally = tally_of_signal(sig);

	if (tally)
		__sync_fetch_and_add(&tally->paired, 1);
}

static __always_inline void count_unpaired(int sig, __u32 cause, __u64 number)
{
	struct ipcscope_stat_tally *tally = tally_of_signal(sig);

	if (tally)
		__sync_fetch_and_add(&tally->unpaired[cause], number);
}

/* What stands for a task, or a signal_struct, in the table. */
static __always_inline __u64 owner_of(const void *address)
{
	return negated(address) & IPCSCOPE_STAT_OWNER;
}

static __always_inline __u32 owner_bucket(__u64 owner)
{
	return (owner * 0x9e3779b97f4a7c15ULL >> 32) & config.stat_bucket_mask;
}

static __always_inline __u64 queue_key(__u64 owner, int sig)
{
	return owner | (__u64)sig << IPCSCOPE_STAT_OWNER_BITS;
}

static __always_inline struct ipcscope_bucket *stat_bucket_at(__u32 at)
{
	return bpf_map_lookup_elem(&stat_buckets, &at);
}

static __always_inline struct ipcscope_stat_queue *queue_at(__u32 slot)
{
	return bpf_map_lookup_elem(&stat_queues, &slot);
}

/* The i-th slot of an owner whose hash is `home`. */
static __always_inline __u32 owner_slot(__u32 home, __u32 i)
{
	__u32 at = (home + i / IPCSCOPE_BUCKET_SLOTS) & config.stat_bucket_mask;

	return at * IPCSCOPE_BUCKET_SLOTS + i % IPCSCOPE_BUCKET_SLOTS;
}

/* Of a slot, in its bucket; NULL: beyond the table. */
static __always_inline __u64 *key_at(__u32 slot)
{
	struct ipcscope_bucket *bucket =
		stat_bucket_at(slot / IPCSCOPE_BUCKET_SLOTS);
	__u32 i = slot;

	/* Else the compiler may find a remainder that the verifier cannot. */
	asm volatile("" : "+r"(i));
	return bucket ? &bucket->key[i % IPCSCOPE_BUCKET_SLOTS] : NULL;
}

/* The slot of a queue in one of the buckets after its own, or NO_SLOT. */
STAT_GLOBAL __u32 slot_elsewhere(__u32 home, __u64 key)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = IPCSCOPE_BUCKET_SLOTS; i < OWNER_SLOTS; ++i) {
		__u32 slot = owner_slot(home, i);
		__u64 *found = key_at(slot);

		if (found && *found == key)
			return slot;
	}
	return NO_SLOT;
}

/* NULL: nothing of it is pending. */
static __always_inline struct ipcscope_stat_queue *queue_find(__u64 owner,
							      int sig)
{
	__u32 home = owner_bucket(owner), slot = home * IPCSCOPE_BUCKET_SLOTS;
	struct ipcscope_bucket *bucket = stat_bucket_at(home);
	__u64 key = queue_key(owner, sig);

	if (!bucket)
		return NULL;
	if (bucket->key[0] == key)
		slot += 0;
	else if (bucket->key[1] == key)
		slot += 1;
	else if (bucket->key[2] == key)
		slot += 2;
	else if (bucket->key[3] == key)
		slot += 3;
	else if (bucket->key[4] == key)
		slot += 4;
	else if (bucket->key[5] == key)
		slot += 5;
	else if (bucket->key[6] == key)
		slot += 6;
	else if (bucket->key[7] == key)
		slot += 7;
	else if (bucket->elsewhere)
		slot = slot_elsewhere(home, key);
	else
		return NULL;
	return queue_at(slot);
}

static __always_inline void count_elsewhere(__u32 home, __u32 slot,
					    __u64 number)
{
	struct ipcscope_bucket *bucket = stat_bucket_at(home);

	if (bucket && slot / IPCSCOPE_BUCKET_SLOTS != home)
		__sync_fetch_and_add(&bucket->elsewhere, number);
}

/* The slot of a new queue, empty; NO_SLOT: none of the owner's is free. */
STAT_GLOBAL __u32 slot_of_new(__u64 owner, int sig)
{
	__u32 home = owner_bucket(owner), i;

#pragma clang loop unroll(disable)
	for (i = 0; i < OWNER_SLOTS; ++i) {
		__u32 slot = owner_slot(home, i);
		struct ipcscope_stat_queue *queue = queue_at(slot);
		__u64 *key = key_at(slot);

		if (!queue || !key || !claim(&queue->claims))
			continue;
		queue->flushed_ns = 0;
		queue->count = 0;
		queue->deep = 0;
		queue->slot = slot;
		*key = queue_key(owner, sig);
		count_elsewhere(home, slot, 1);
		return slot;
	}
	return NO_SLOT;
}

static __always_inline void queue_free(struct ipcscope_stat_queue *queue,
				       __u64 owner)
{
	__u64 *key = key_at(queue->slot);

	if (key)
		*key = 0;
	count_elsewhere(owner_bucket(owner), queue->slot, -1);
	release(&queue->claims);
}

/* Ends all that are pending in a queue. */
static __always_inline void queue_end(struct ipcscope_stat_queue *queue,
				      __u64 owner, int sig, __u32 cause)
{
	count_unpaired(sig, cause, queue->count);
	queue_free(queue, owner);
}

/* Ends what left the queue in a slot by a sigaction() of a time: see discard(). */
STAT_GLOBAL int queue_expire(__u32 slot, int sig)
{
	struct ipcscope_stat_queue *queue = queue_at(slot);
	__u64 flushed_ns;
	int i;

	if (!queue)
		return 0;
	flushed_ns = queue->flushed_ns;
	queue->flushed_ns = 0;
	queue->deep = 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < IPCSCOPE_STAT_DEPTH && queue->count; ++i) {
		__u32 at = queue->head & (IPCSCOPE_STAT_DEPTH - 1);

		if (queue->generated_ns[at] > flushed_ns)
			break;
		++queue->head;
		--queue->count;
		count_unpaired(sig, IPCSCOPE_UNPAIRED_FLUSHED, 1);
	}
	return 0;
}

/*
 * The oldest of a queue leaves it.  False: there is none.  0 ns: it is one of
 * those that are not kept, and has been counted as unpaired.
 */
static __always_inline bool queue_pop(__u64 owner, int sig, __u64 *generated_ns)
{
	struct ipcscope_stat_queue *queue = queue_find(owner, sig);
	bool found = true;

	*generated_ns = 0;
	if (!queue)
		return false;
	if (queue->flushed_ns)
		queue_expire(queue->slot, sig);
	if (queue->count) {
		__u32 at = queue->head & (IPCSCOPE_STAT_DEPTH - 1);

		*generated_ns = queue->generated_ns[at];
		++queue->head;
		--queue->count;
	} else if (queue->deep) {
		--queue->deep;
	} else {
		found = false;
	}
	if (!queue->count && !queue->deep)
		queue_free(queue, owner);
	return found;
}

/* Of the thread's own queue, which the kernel empties first, or its process's. */
static __always_inline __u64 pending_take(struct task_struct *task, int sig)
{
	__u64 generated_ns;

	if (!queue_pop(owner_of(task), sig, &generated_ns))
		queue_pop(owner_of(LOAD(task, signal)), sig, &generated_ns);
	return generated_ns;
}

/* It was taken.  0: it is not known when it was generated. */
static __always_inline __u64 pending_pair(struct task_struct *task, int sig)
{
	__u64 generated_ns = pending_take(task, sig);

	if (generated_ns)
		count_paired(sig);
	return generated_ns;
}

/* It was taken by a thread that is filtered out. */
static __always_inline void pending_unwanted(struct task_struct *task, int sig)
{
	if (pending_take(task, sig))
		count_unpaired(sig, IPCSCOPE_UNPAIRED_UNWANTED, 1);
}

static __always_inline bool is_timer(__u64 info)
{
	struct siginfo_head head;

	return info > 1 &&
	       !bpf_probe_read_kernel(&head, sizeof(head), (void *)info) &&
	       head.si_code == IPCSCOPE_SI_TIMER;
}

/*
 * The kernel queues a standard signal only where none of its number is pending,
 * unless it is of a POSIX timer: what there was has left the queue.
 */
static __always_inline void queue_push(struct ipcscope_stat_queue *queue,
				       int sig, __u64 info)
{
	if (queue->flushed_ns)
		queue_expire(queue->slot, sig);
	if (queue->count && !ipcscope_is_realtime(sig) && !is_timer(info)) {
		count_unpaired(sig, IPCSCOPE_UNPAIRED_FLUSHED, queue->count);
		queue->count = 0;
		queue->deep = 0;
	}
	if (queue->deep || queue->count >= IPCSCOPE_STAT_DEPTH) {
		++queue->deep;
		count_unpaired(sig, IPCSCOPE_UNPAIRED_DEEP, 1);
		return;
	}
	queue->generated_ns[(queue->head + queue->count) &
			    (IPCSCOPE_STAT_DEPTH - 1)] = bpf_ktime_get_ns();
	++queue->count;
}

/* One that the kernel queues is pending from now on. */
static __always_inline void pending_add(__u64 owner, int sig, __u64 info)
{
	struct ipcscope_stat_queue *queue = queue_find(owner, sig);

	if (!queue)
		queue = queue_at(slot_of_new(owner, sig));
	if (queue)
		queue_push(queue, sig, info);
	else
		count_unpaired(sig, IPCSCOPE_UNPAIRED_NO_ROOM, 1);
}

static __always_inline void queue_flush(__u64 owner, int sig)
{
	struct ipcscope_stat_queue *queue = queue_find(owner, sig);

	if (queue)
		queue_end(queue, owner, sig, IPCSCOPE_UNPAIRED_FLUSHED);
}

#define FIRST_STOP	19	/* SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU */
#define LAST_STOP	22

/*
 * SIGCONT removes stop signals, and these SIGCONT, from all queues of a process;
 * of those of its other threads that shows at their next generation or end.
 */
STAT_GLOBAL int pending_flush(__u64 thread, __u64 process, int sig)
{
	if (sig != IPCSCOPE_SIGCONT) {
		queue_flush(thread, IPCSCOPE_SIGCONT);
		queue_flush(process, IPCSCOPE_SIGCONT);
		return 0;
	}
#pragma clang loop unroll(disable)
	for (sig = FIRST_STOP; sig <= LAST_STOP; ++sig) {
		queue_flush(thread, sig);
		queue_flush(process, sig);
	}
	return 0;
}

/*
 * sigaction() is about to discard a signal, and the siglock is not held: the next use
 * of the queue ends what is older than now.
 */
static __always_inline void queue_discard(__u64 owner, int sig)
{
	struct ipcscope_stat_queue *queue = queue_find(owner, sig);

	if (queue)
		queue->flushed_ns = bpf_ktime_get_ns();
}

STAT_GLOBAL int pending_discard(__u64 thread, __u64 process, int sig)
{
	queue_discard(thread, sig);
	queue_discard(process, sig);
	return 0;
}

/* The owner is gone. */
STAT_GLOBAL int pending_drop(__u64 owner)
{
	__u32 home = owner_bucket(owner), i;
	struct ipcscope_bucket *bucket = stat_bucket_at(home);

	if (!bucket)
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < OWNER_SLOTS; ++i) {
		__u32 slot = owner_slot(home, i);
		struct ipcscope_stat_queue *queue = queue_at(slot);
		__u64 *key = key_at(slot);

		if (i == IPCSCOPE_BUCKET_SLOTS && !bucket->elsewhere)
			break;
		if (queue && key && *key && (*key & IPCSCOPE_STAT_OWNER) == owner)
			queue_end(queue, owner, *key >> IPCSCOPE_STAT_OWNER_BITS,
				  IPCSCOPE_UNPAIRED_EXITED);
	}
	return 0;
}

#endif /* IPCSCOPE_PENDING_BPF_H */
