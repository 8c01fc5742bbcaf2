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
	__u32 at = bucket_of(key);
	struct ipcscope_bucket *bucket = bpf_map_lookup_elem(&buckets, &at);

	if (!bucket)
		return NULL;
	at *= IPCSCOPE_BUCKET_SLOTS;
	if (bucket->key[0] == key)
		return state_at(at);
	if (bucket->key[1] == key)
		return state_at(at + 1);
	if (bucket->key[2] == key)
		return state_at(at + 2);
	if (bucket->key[3] == key)
		return state_at(at + 3);
	if (bucket->key[4] == key)
		return state_at(at + 4);
	if (bucket->key[5] == key)
		return state_at(at + 5);
	if (bucket->key[6] == key)
		return state_at(at + 6);
	if (bucket->key[7] == key)
		return state_at(at + 7);
	return bucket->elsewhere ? find_elsewhere(key) : NULL;
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

NOINLINE __u32 take_slot(__u32 bucket)
{
	__u32 i;

	for (i = 0; i < BUCKETS_TRIED * IPCSCOPE_BUCKET_SLOTS; ++i) {
		__u32 at = (bucket + i / IPCSCOPE_BUCKET_SLOTS) &
			   config.bucket_mask;
		__u32 slot = at * IPCSCOPE_BUCKET_SLOTS +
			     i % IPCSCOPE_BUCKET_SLOTS;
		struct ipcscope_thread_state *state = state_at(slot);

		if (state && claim(&state->claims))
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

static __always_inline void state_begin(struct ipcscope_thread_state *thread,
					struct task_struct *task, __u64 now,
					__u8 state)
{
	__builtin_memset(thread, 0,
			 offsetof(struct ipcscope_thread_state, key));
	ipcscope_account_begin(&thread->account, now);
	thread->account.state = state;
	thread->exec_id = LOAD(task, self_exec_id);
	thread->tgid = LOAD(task, tgid);
	thread->tid = LOAD(task, pid);
}

/* A new state, of a thread that has none.  NULL: the table is full. */
static __always_inline struct ipcscope_thread_state *
state_make(struct task_struct *task, __u64 now, __u8 state)
{
	__u64 key = key_of(task);
	__u32 slot = take_slot(bucket_of(key));
	struct ipcscope_thread_state *thread = state_at(slot);

	if (!thread)
		return NULL;
	state_begin(thread, task, now, state);
	if (bpf_map_update_elem(&threads, &key, &slot, BPF_NOEXIST)) {
		release(&thread->claims);
		return find_elsewhere(key);	/* another's, or none */
	}
	thread->key = key;
	set_slot(key, slot, true);
	return thread;
}

/* `how`: BPF_NOEXIST keeps what there is, BPF_ANY begins anew. */
NOINLINE struct ipcscope_thread_state *
thread_make(struct task_struct *task, __u64 now, __u8 state, __u64 how)
{
	struct ipcscope_thread_state *thread = thread_find(task);

	if (!thread)
		return state_make(task, now, state);
	if (how != BPF_NOEXIST)
		state_begin(thread, task, now, state);
	return thread;
}

#endif /* IPCSCOPE_TABLE_BPF_H */
