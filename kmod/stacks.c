// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "stacks.h"

#define SLOT_BITS	11
#define OWN_ENTRIES	4	/* at the top of what is saved */
#define ITERATOR_BYTES	256	/* __traceiter_sched_switch is smaller */

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

/* A caller of ours, or ourselves: no part of how the task went to sleep. */
static bool is_ours(const struct scope_stacks *stacks, unsigned long address)
{
	return within_module(address, THIS_MODULE) ||
	       address - stacks->iterator < ITERATOR_BYTES;
}

void scope_stack_save(struct scope_stacks *stacks)
{
	struct scope_stack *slot = slot_of(stacks, current->pid);
	unsigned long entries[IPCSCOPE_STACK_DEPTH + OWN_ENTRIES];
	unsigned long flags;
	unsigned int found, i, depth = 0;

	/* Before the lock: the walk is what takes long. */
	found = stack_trace_save(entries, ARRAY_SIZE(entries), 0);
	for (i = 0; i < found && is_ours(stacks, entries[i]);)
		i++;
	raw_spin_lock_irqsave(&slot->lock, flags);
	for (; i < found && depth < IPCSCOPE_STACK_DEPTH; i++)
		slot->entries[depth++] = entries[i];
	slot->tid = current->pid;
	slot->depth = depth;
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
