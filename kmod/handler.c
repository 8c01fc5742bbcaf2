// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers, and what a thread blocks.  bpf/handler.bpf.c says which functions, and
 * handler.h has the rules.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include <ipcscope/handler.h>

#include "call.h"
#include "emit.h"
#include "filter.h"
#include "handler.h"
#include "hooks.h"
#include "name.h"
#include "state.h"

u64 scope_handlers_bytes(const struct ipcscope_start *config)
{
	if (!(config->families & IPCSCOPE_FAMILY_HANDLERS))
		return 0;
	return (u64)config->max_threads * sizeof(struct ipcscope_handlers);
}

int scope_handlers_init(struct scope_trace *trace)
{
	u64 bytes = scope_handlers_bytes(&trace->config);

	trace->handlers = bytes ? vzalloc(bytes) : NULL;
	return bytes && !trace->handlers ? -ENOMEM : 0;
}

/* Those of current, by the place of its state. */
static struct ipcscope_handlers *handlers_of(struct scope_trace *trace,
					     const struct scope_thread *thread)
{
	struct ipcscope_handlers *own =
		&trace->handlers[thread - trace->threads.all];

	ipcscope_handlers_check(own, current->start_time,
				current->self_exec_id);
	return own;
}

/* NULL: it has none. */
static struct ipcscope_handlers *find_own(struct scope_trace *trace,
					  struct scope_thread **thread)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, current);

	*thread = scope_thread_own(bucket);
	if (!*thread && !hlist_empty(&bucket->threads)) {
		raw_spin_lock(&bucket->lock);
		*thread = scope_thread_find(bucket, current);
		raw_spin_unlock(&bucket->lock);
	}
	return *thread ? handlers_of(trace, *thread) : NULL;
}

/* The last frame's, which goes. */
static void emit_last(struct scope_trace *trace, struct scope_thread *thread,
		      struct ipcscope_handlers *own, bool left, u64 now)
{
	const struct ipcscope_handler_frame *frame = ipcscope_handler_last(own);
	struct ipcscope_signal_handler record = {};

	own->depth--;
	record.enter_ns = frame->enter_ns;
	record.blocked_inside = frame->blocked;
	record.blocked_after = left ? 0 : current->blocked.sig[0];
	record.sig = frame->sig;
	record.depth = own->depth;
	record.left = left;
	scope_name(trace, current, thread, now);
	SCOPE_EMIT(trace, current, &record, IPCSCOPE_SIGNAL_HANDLER, now);
}

static void push(struct scope_trace *trace, struct scope_thread *thread,
		 const struct ksignal *signal, u64 now)
{
	u64 at = user_stack_pointer(task_pt_regs(current));
	u8 alternate = ipcscope_on_alternate(at, current->sas_ss_sp,
					     current->sas_ss_size);
	struct ipcscope_handlers *own = handlers_of(trace, thread);
	u64 blocked = current->blocked.sig[0];
	struct ipcscope_handler_frame *frame;

	while (own->depth &&
	       ipcscope_handler_is_dead(ipcscope_handler_last(own), at,
					alternate))
		emit_last(trace, thread, own, true, now);
	own->expected = ipcscope_handler_mask(blocked,
					      signal->ka.sa.sa_mask.sig[0],
					      signal->ka.sa.sa_flags,
					      signal->sig);
	own->expects = own->expected != blocked;
	if (own->depth == IPCSCOPE_HANDLER_DEPTH) {
		scope_count_lost(trace, IPCSCOPE_SIGNAL_HANDLER,
				 IPCSCOPE_LOST_TABLE_FULL);
		return;
	}
	own->depth++;
	frame = ipcscope_handler_last(own);
	frame->at = at;
	frame->enter_ns = now;
	frame->blocked = own->expected;
	frame->sig = signal->sig;
	frame->alternate = alternate;
}

static void set_up(struct scope_trace *trace, bool failed,
		   const struct ksignal *signal)
{
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	/* No room on its stack: SIGSEGV. */
	if (!trace || failed || !scope_may_be_armed(trace))
		return;
	if (!scope_signal_wanted(&trace->filters, signal->sig) ||
	    !scope_task_wanted(&trace->filters, current)) {
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_HANDLER);
		return;
	}
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now)) {
		thread = scope_call_state(trace, IPCSCOPE_SIGNAL_HANDLER, now);
		if (thread)
			push(trace, thread, signal, now);
	}
	local_irq_restore(flags);
}

/* (failed, ksig, stepping) */
SCOPE_WATCHER(scope_handler_set_up)
{
	set_up(SCOPE_WATCHED(), (int)SCOPE_ARGUMENT(regs, 0),
	       (void *)SCOPE_ARGUMENT(regs, 1));
	SCOPE_WATCH_END;
}

/* x86: a handler's return takes its address, the frame's first word, off the stack. */
static u64 frame_that_returns(void)
{
	u64 stack = user_stack_pointer(task_pt_regs(current));

	return IS_ENABLED(CONFIG_X86) ? stack - sizeof(u64) : stack;
}

/* Of a handler whose set-up was not seen there is no record. */
static void returns(struct scope_trace *trace)
{
	struct scope_thread *thread = NULL;
	struct ipcscope_handlers *own;
	unsigned long flags;
	u64 at, now;
	bool left;

	if (!trace || !scope_may_be_armed(trace))
		return;
	at = frame_that_returns();
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	own = scope_armed(trace, now) ? find_own(trace, &thread) : NULL;
	left = own && ipcscope_handler_is_known(own, at);
	while (left) {
		left = ipcscope_handler_last(own)->at != at;
		emit_last(trace, thread, own, left, now);
	}
	local_irq_restore(flags);
}

SCOPE_WATCHER(scope_handler_returns)
{
	returns(SCOPE_WATCHED());
	SCOPE_WATCH_END;
}

/* The set-up of a handler changes it, or the return from one that is known. */
static bool is_handlers(struct ipcscope_handlers *own, u64 after, u16 syscall)
{
	if (own->expects) {
		own->expects = 0;
		if (own->expected == after)
			return true;
	}
	return syscall == __NR_rt_sigreturn &&
	       ipcscope_handler_is_known(own, frame_that_returns());
}

/* Interrupts are off. */
static void report_change(struct scope_trace *trace, u64 after, u16 syscall)
{
	struct ipcscope_signal_mask record = {};
	struct ipcscope_handlers *own;
	struct scope_thread *thread;
	u64 now = ktime_get_mono_fast_ns();

	if (!scope_armed(trace, now))
		return;
	own = find_own(trace, &thread);
	if (own && is_handlers(own, after, syscall))
		return;
	record.before = current->blocked.sig[0];
	record.after = after;
	record.syscall = syscall;
	if (!scope_task_wanted(&trace->filters, current) ||
	    !((record.before ^ after) & trace->filters.signal_mask)) {
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_MASK);
		return;
	}
	scope_name(trace, current, thread, now);
	SCOPE_EMIT(trace, current, &record, IPCSCOPE_SIGNAL_MASK, now);
}

/*
 * Of current, with siglock held.  sigtimedwait() puts back what it has unblocked while
 * it waited, without a call of this function.
 */
static void changes(struct scope_trace *trace, const sigset_t *mask)
{
	unsigned long flags;
	u16 syscall;

	if (!trace || !scope_may_be_armed(trace) ||
	    mask->sig[0] == current->blocked.sig[0])
		return;
	syscall = scope_syscall_of(current);
	if (syscall == __NR_rt_sigtimedwait)
		return;
	local_irq_save(flags);
	report_change(trace, mask->sig[0], syscall);
	local_irq_restore(flags);
}

/* (task, mask) */
SCOPE_WATCHER(scope_mask_changes)
{
	changes(SCOPE_WATCHED(), (void *)SCOPE_ARGUMENT(regs, 1));
	SCOPE_WATCH_END;
}
