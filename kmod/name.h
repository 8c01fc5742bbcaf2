/* SPDX-License-Identifier: GPL-2.0-only */
/* THREAD records: what a thread is called, and where it comes from. */
#ifndef IPCSCOPE_NAME_H
#define IPCSCOPE_NAME_H

#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>

#include "threads.h"

struct scope_trace;

/* Writes one. `thread`: its state with its bucket locked, or NULL. */
void scope_name_emit(struct scope_trace *trace, struct task_struct *task,
		     struct scope_thread *thread, u8 reason, u64 now);

static __always_inline u64 scope_word_at(const void *bytes)
{
	u64 word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static __always_inline bool scope_is_named(const struct task_struct *task,
					   const struct scope_thread *thread)
{
	if (!thread || !thread->named)
		return false;
	return scope_word_at(task->comm) == scope_word_at(thread->comm) &&
	       scope_word_at(task->comm + 8) == scope_word_at(thread->comm + 8);
}

void scope_name_anew(struct scope_trace *trace, struct task_struct *task,
		     struct scope_thread *thread, u64 now);

/*
 * Before a record about a thread: writes one where it has none, or is called
 * otherwise by now.
 */
static __always_inline void scope_name(struct scope_trace *trace,
				       struct task_struct *task,
				       struct scope_thread *thread, u64 now)
{
	if (unlikely(!scope_is_named(task, thread)))
		scope_name_anew(trace, task, thread, now);
}

/*
 * The same for a task whose state is not at hand.  Returns the time of it: what
 * the task itself has written of its name has an earlier one.
 */
u64 scope_name_task(struct scope_trace *trace, struct task_struct *task);

#endif /* IPCSCOPE_NAME_H */
