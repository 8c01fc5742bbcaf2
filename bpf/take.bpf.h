/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a taking: made in the thread that took the signal. */
#ifndef IPCSCOPE_TAKE_BPF_H
#define IPCSCOPE_TAKE_BPF_H

#include "pending.bpf.h"
#include "thread.bpf.h"

/* How a taking ended. */
struct take_end {
	__u64 now;
	__u64 enter_ns;		/* of get_signal(), 0: outside it, or not seen */
	__u32 sa_flags;
	__u16 flags;		/* of the header */
	__u8 how;
	__u8 disposition;
	__u8 has_info;
	__u8 group;
	__u8 group_signal;
};

/*
 * The cell of a taking.  A group's exit pairs the signal that ends the process;
 * the first of its threads that finds it.
 */
static __always_inline void stat_take(struct task_struct *task,
				      const struct ipcscope_open_take *take,
				      const struct take_end *end)
{
	const struct stat_subject who = { .task = task };
	__u64 generated_ns = take->value;
	struct ipcscope_stat_cell *cell;
	int sig = take->sig;

	if (end->how == IPCSCOPE_TAKE_GROUP_EXIT && end->group_signal) {
		sig = end->group_signal;
		generated_ns = pending_pair(task, sig);
	}
	cell = stat_cell(stat_signal_event(IPCSCOPE_SIGNAL_TAKE, sig, end->how),
			 &who);
	if (!cell)
		return;
	if (generated_ns)
		stat_add(cell, end->now - generated_ns);
	else
		stat_add_untimed(cell);
}

/* `thread` may be NULL: of a kernel thread.  All in the context of `task`. */
static __always_inline void make_take(struct ipcscope_thread_state *thread,
				      struct task_struct *task,
				      const struct ipcscope_open_take *take,
				      const struct take_end *end)
{
	struct ipcscope_signal_take *record;
	struct record_out out;

	if (IPCSCOPE_STAT) {
		stat_take(task, take, end);
		return;
	}
	name_thread(thread, task, end->now);
	record = record_begin(&out, IPCSCOPE_SIGNAL_TAKE, sizeof(*record),
			      end->flags, end->now, id_of(task));
	if (!record)
		return;
	record->dequeued_ns = take->dequeued_ns;
	record->enter_ns = end->enter_ns;
	record->value = take->value;
	record->si_code = take->si_code;
	record->sender_pid = take->sender_pid;
	record->sa_flags = end->sa_flags;
	record->overrun = take->overrun;
	record->sig = take->sig;
	record->how = end->how;
	record->disposition = end->disposition;
	record->has_info = end->has_info;
	record->traced = take->traced;
	record->group = end->group;
	record->group_signal = end->group_signal;
	record->pad[0] = 0;
	record_end(&out, record, sizeof(*record));
}

NOINLINE void emit_take(struct ipcscope_thread_state *thread,
			struct task_struct *task,
			const struct ipcscope_open_take *take,
			const struct take_end *end)
{
	make_take(thread, task, take, end);
}

/* stat reads the clock only where it needs it. */
static __always_inline __u64 clock_of(__u64 now)
{
	return IPCSCOPE_STAT ? bpf_ktime_get_ns() : now;
}

/* A taking that came to nothing: the debugger dropped or replaced the signal. */
static __always_inline void drop_take(struct ipcscope_thread_state *thread,
				      struct task_struct *task, __u64 now)
{
	struct take_end end = {
		.now = now,
		.enter_ns = thread->get_signal_ns,
		.how = IPCSCOPE_TAKE_DEBUGGER,
		.disposition = IPCSCOPE_DISPOSITION_UNKNOWN,
		.has_info = 1,
	};

	if (!thread->take.sig)
		return;
	end.now = clock_of(now);
	emit_take(thread, task, &thread->take, &end);
	thread->take.sig = 0;
}

#endif /* IPCSCOPE_TAKE_BPF_H */
