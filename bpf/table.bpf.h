/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of threads: a state for each, found by the address of its
 * task_struct.  Unlike the tid, that stays the same when a thread that is not the
 * leader calls execve(), and it is not reused before the thread's last context
 * switch.
 *
 *   buckets[hash(key)].key[i] == key  -->  states[hash(key) * 8 + i]
 *   threads[key] == slot              -->  states[slot]
 *
 * The hooks read buckets only.  The hash table decides which of two that make a
 * state for one thread succeeds, and finds what has no place in its own bucket.
 *
 * A slot is taken by an atomic add to its claims that finds no other (5.10 has no
 * compare-and-exchange): who reads 1 after it has the slot.  Two at once may
 * both fail, and go on to the next slot.
 */
#ifndef IPCSCOPE_TABLE_BPF_H
#define IPCSCOPE_TABLE_BPF_H

#include "maps.bpf.h"

#define NOINLINE static __attribute__((noinline, unused))

/*
 * The verifier follows a static function at each call, with all that the caller knows,
 * and goes on with each state that it returns in; a global one once a program, for any
 * arguments.  It takes and returns numbers.  Weak, for several objects have it.
 */
#define GLOBAL __weak __attribute__((noinline))

#define barrier() asm volatile("" ::: "memory")

#define BUCKETS_TRIED	4
#define NO_SLOT		0xffffffffU

/* What stands for a task in the table: its address, as a number. */
static __always_inline __u64 key_of(struct task_struct *task)
{
	return negated(task);
}

static __always_inline __u32 bucket_of(__u64 key)
{
	return (key * 0x9e3779b97f4a7c15ULL >> 32) & config.bucket_mask;
}

static __always_inline struct ipcscope_thread_state *state_at(__u32 slot)
{
	return bpf_map_lookup_elem(&states, &slot);
}

NOINLINE struct ipcscope_thread_state *find_elsewhere(__u64 key)
{
	__u32 *slot = bpf_map_lookup_elem(&threads, &key);

	return slot ? state_at(*slot) : NULL;
}

static __always_inline struct ipcscope_thread_state *
thread_find(struct task_struct *task)
{
	__u64 key = key_of(task);
	__u32 at = bucket_of(key), i;
	struct ipcscope_bucket *bucket = bpf_map_lookup_elem(&buckets, &at);

	if (!bucket)
		return NULL;
	if (bucket->key[0] == key)
		i = 0;
	else if (bucket->key[1] == key)
		i = 1;
	else if (bucket->key[2] == key)
		i = 2;
	else if (bucket->key[3] == key)
		i = 3;
	else if (bucket->key[4] == key)
		i = 4;
	else if (bucket->key[5] == key)
		i = 5;
	else if (bucket->key[6] == key)
		i = 6;
	else if (bucket->key[7] == key)
		i = 7;
	else
		return bucket->elsewhere ? find_elsewhere(key) : NULL;
	return state_at(at * IPCSCOPE_BUCKET_SLOTS + i);
}

static __always_inline void release(__u32 *claims)
{
	__sync_fetch_and_add(claims, -1);
}

static __always_inline bool claim(__u32 *claims)
{
	if (*claims)
		return false;
	__sync_fetch_and_add(claims, 1);
	if (*(volatile __u32 *)claims == 1)
		return true;
	release(claims);
	return false;
}

GLOBAL __u32 take_slot_of(__u32 bucket)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < IPCSCOPE_BUCKET_SLOTS; ++i) {
		__u32 slot = bucket * IPCSCOPE_BUCKET_SLOTS + i;
		struct ipcscope_thread_state *state = state_at(slot);

		if (state && claim(&state->claims))
			return slot;
	}
	return NO_SLOT;
}

/* Of the bucket, or of one of those after it. */
GLOBAL __u32 take_slot(__u32 bucket)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < BUCKETS_TRIED; ++i) {
		__u32 slot = take_slot_of((bucket + i) & config.bucket_mask);

		if (slot != NO_SLOT)
			return slot;
	}
	return NO_SLOT;
}

/* The hooks find the task in this slot, or no longer. */
static __always_inline void set_slot(__u64 key, __u32 slot, bool there)
{
	__u32 at = bucket_of(key);
	struct ipcscope_bucket *bucket = bpf_map_lookup_elem(&buckets, &at);
	__u32 i = slot;

	if (!bucket)
		return;
	/* Else the compiler may find a remainder that the verifier cannot. */
	asm volatile("" : "+r"(i));
	if (slot / IPCSCOPE_BUCKET_SLOTS == at)
		bucket->key[i % IPCSCOPE_BUCKET_SLOTS] = there ? key : 0;
	else
		__sync_fetch_and_add(&bucket->elsewhere, there ? 1 : -1);
}

NOINLINE void thread_forget(struct task_struct *task)
{
	__u64 key = key_of(task);
	__u32 *found = bpf_map_lookup_elem(&threads, &key);
	struct ipcscope_thread_state *state;
	__u32 slot;

	if (!found)
		return;
	slot = *found;
	if (bpf_map_delete_elem(&threads, &key))
		return;		/* by another meanwhile */
	set_slot(key, slot, false);
	state = state_at(slot);
	if (!state)
		return;
	state->key = 0;
	release(&state->claims);
}

/* `address`: of the task. */
static __always_inline void state_begin(struct ipcscope_thread_state *thread,
					__u64 address, __u64 now, __u8 state)
{
	struct task_struct *task = (struct task_struct *)address;

	__builtin_memset(thread, 0,
			 offsetof(struct ipcscope_thread_state, key));
	ipcscope_account_begin(&thread->account, now);
	thread->account.state = state;
	thread->exec_id = BPF_CORE_READ(task, self_exec_id);
	thread->tgid = BPF_CORE_READ(task, tgid);
	thread->tid = BPF_CORE_READ(task, pid);
}

/* The slot of a new state, or of one that another hook made meanwhile, or NO_SLOT. */
GLOBAL __u32 slot_make(__u64 address, __u64 now, __u32 state)
{
	__u64 key = -address;
	__u32 slot = take_slot(bucket_of(key));
	struct ipcscope_thread_state *thread = state_at(slot);
	__u32 *others;

	if (!thread)
		return NO_SLOT;
	state_begin(thread, address, now, state);
	if (bpf_map_update_elem(&threads, &key, &slot, BPF_NOEXIST)) {
		release(&thread->claims);
		others = bpf_map_lookup_elem(&threads, &key);
		return others ? *others : NO_SLOT;
	}
	thread->key = key;
	thread->slot = slot;
	set_slot(key, slot, true);
	return slot;
}

/* The state of a thread that had none.  NULL: the table is full. */
static __always_inline struct ipcscope_thread_state *
thread_make(struct task_struct *task, __u64 now, __u8 state)
{
	return state_at(slot_make(address_of(task), now, state));
}

#endif /* IPCSCOPE_TABLE_BPF_H */
