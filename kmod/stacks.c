// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "stacks.h"

#define SLOT_BITS	11

static struct scope_stack *slot_of(struct scope_stacks *stacks, pid_t tid)
{
	return &stacks->slots[hash_32(tid, SLOT_BITS)];
}

int scope_stacks_init(struct scope_stacks *stacks)
{
	unsigned int i;

	stacks->slots = vzalloc(sizeof(*stacks->slots) << SLOT_BITS);
	if (!stacks->slots)
		return -ENOMEM;
	for (i = 0; i < 1 << SLOT_BITS; i++)
		raw_spin_lock_init(&stacks->slots[i].lock);
	return 0;
}

void scope_stacks_free(struct scope_stacks *stacks)
{
	vfree(stacks->slots);
	stacks->slots = NULL;
}

noinline void scope_stack_save(struct scope_stacks *stacks, unsigned int skip)
{
	struct scope_stack *slot = slot_of(stacks, current->pid);
	unsigned long entries[IPCSCOPE_STACK_DEPTH];
	unsigned long flags;
	unsigned int depth, i;

	/* Before the lock: the walk is what takes long. */
	depth = stack_trace_save(entries, ARRAY_SIZE(entries), skip + 1);
	raw_spin_lock_irqsave(&slot->lock, flags);
	slot->tid = current->pid;
	slot->depth = depth;
	for (i = 0; i < depth; i++)
		slot->entries[i] = entries[i];
	raw_spin_unlock_irqrestore(&slot->lock, flags);
}

void scope_stack_forget(struct scope_stacks *stacks, pid_t tid)
{
	struct scope_stack *slot = slot_of(stacks, tid);
	unsigned long flags;

	if (!tid || READ_ONCE(slot->tid) != tid)
		return;
	raw_spin_lock_irqsave(&slot->lock, flags);
	if (slot->tid == tid)
		slot->tid = 0;
	raw_spin_unlock_irqrestore(&slot->lock, flags);
}

u32 scope_stack_of(struct scope_stacks *stacks, pid_t tid, u64 *entries)
{
	struct scope_stack *slot = slot_of(stacks, tid);
	unsigned long flags;
	u32 depth = 0;

	raw_spin_lock_irqsave(&slot->lock, flags);
	if (slot->tid == tid) {
		depth = slot->depth;
		memcpy(entries, slot->entries, depth * sizeof(*entries));
	}
	raw_spin_unlock_irqrestore(&slot->lock, flags);
	return depth;
}
