// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers, and what a thread blocks (--trace handlers).
 *
 *   get_signal ─► setup_rt_frame ─► signal_setup_done ─► __set_task_blocked
 *                                    pushes the frame     the set-up's own
 *   rt_sigreturn ─► __set_task_blocked ─► restore_sigcontext
 *                   the return's own       pops it: the record
 *   sigprocmask, ppoll, … ─► __set_task_blocked: the record of a change
 *
 * handler.h has the rules.  The two functions can be preempted and have twins;
 * __set_task_blocked runs with siglock held and interrupts off, so that the kernel
 * does not skip it (on PREEMPT_RT what it skips is counted).
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>
#include <ipcscope/handler.h>

/* By the slot of the thread's state; the collector sets the number of entries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_handlers);
} handlers SEC(".maps");

static __always_inline struct ipcscope_handlers *
handlers_of(const struct ipcscope_thread_state *thread, struct task_struct *task)
{
	__u32 slot = thread->slot;
	struct ipcscope_handlers *own = bpf_map_lookup_elem(&handlers, &slot);

	if (own)
		ipcscope_handlers_check(own, LOAD(task, start_time),
					LOAD(task, self_exec_id));
	return own;
}

/* The last frame's, which goes. */
static __always_inline void emit_last(struct ipcscope_thread_state *thread,
				      struct task_struct *task,
				      struct ipcscope_handlers *own, __u64 now,
				      bool left)
{
	const struct ipcscope_handler_frame *frame = ipcscope_handler_last(own);
	struct ipcscope_signal_handler *record;
	struct record_out out;

	--own->depth;
	name_thread(thread, task, now);
	record = record_begin(&out, IPCSCOPE_SIGNAL_HANDLER, sizeof(*record), 0,
			      now, id_of(task));
	if (!record)
		return;
	record->enter_ns = frame->enter_ns;
	record->blocked_inside = frame->blocked;
	record->blocked_after = left ? 0 : LOAD(task, blocked.sig[0]);
	record->sig = frame->sig;
	record->depth = own->depth;
	record->left = left;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	record_end(&out, record, sizeof(*record));
}

NOINLINE void emit_left(struct ipcscope_thread_state *thread,
			struct task_struct *task,
			struct ipcscope_handlers *own, __u64 now)
{
	emit_last(thread, task, own, now, true);
}

NOINLINE void emit_returned(struct ipcscope_thread_state *thread,
			    struct task_struct *task,
			    struct ipcscope_handlers *own, __u64 now)
{
	emit_last(thread, task, own, now, false);
}

/* Counts a set-up as call.bpf.h does an entry. */
static __always_inline void count_set_up(enum twin twin, bool is_new)
{
	struct ipcscope_entries *counts = config.twins ? this_entries() : NULL;

	if (counts && twin == FIRST_TWIN)
		__sync_fetch_and_add(&counts->wanted[IPCSCOPE_SIGNAL_HANDLER], 1);
	if (counts && is_new)
		__sync_fetch_and_add(&counts->entered[IPCSCOPE_SIGNAL_HANDLER], 1);
}

static __always_inline void drop_dead(struct ipcscope_thread_state *thread,
				      struct task_struct *task,
				      struct ipcscope_handlers *own, __u64 at,
				      __u8 alternate, __u64 now)
{
	int i;

	for (i = 0; i < IPCSCOPE_HANDLER_DEPTH && own->depth; ++i) {
		if (!ipcscope_handler_is_dead(ipcscope_handler_last(own), at,
					      alternate))
			break;
		emit_left(thread, task, own, now);
	}
}

static __always_inline void push(struct ipcscope_thread_state *thread,
				 struct task_struct *task,
				 struct ipcscope_handlers *own,
				 struct ksignal *signal, enum twin twin)
{
	int sig = signal->sig;
	__u64 at = user_stack(task), blocked = LOAD(task, blocked.sig[0]);
	__u8 alternate = ipcscope_on_alternate(at, LOAD(task, sas_ss_sp),
					       LOAD(task, sas_ss_size));
	struct ipcscope_handler_frame *frame;
	__u64 now;

	if (own->fresh && own->depth && ipcscope_handler_last(own)->at == at) {
		own->fresh = 0;
		count_set_up(twin, false);
		return;		/* the twin has done it */
	}
	count_set_up(twin, true);
	now = bpf_ktime_get_ns();
	drop_dead(thread, task, own, at, alternate, now);
	own->expected = ipcscope_handler_mask(blocked, signal->ka.sa.sa_mask.sig[0],
					      signal->ka.sa.sa_flags, sig);
	own->expects = own->expected != blocked;
	if (own->depth >= IPCSCOPE_HANDLER_DEPTH) {
		if (twin == FIRST_TWIN)
			count_lost(IPCSCOPE_SIGNAL_HANDLER,
				   IPCSCOPE_LOST_TABLE_FULL);
		return;
	}
	++own->depth;
	frame = ipcscope_handler_last(own);
	frame->at = at;
	frame->enter_ns = now;
	frame->blocked = own->expected;
	frame->sig = sig;
	frame->alternate = alternate;
	own->fresh = config.twins;
}

/* (failed, ksig, stepping) */
static __always_inline void set_up(__u64 *ctx, enum twin twin)
{
	struct ksignal *signal = (struct ksignal *)ctx[1];
	struct ipcscope_handlers *own;
	struct own_thread thread;

	if ((int)ctx[0]) {
		count_no_call(IPCSCOPE_SIGNAL_HANDLER, twin);
		return;		/* no room on its stack: SIGSEGV */
	}
	thread = own_thread();
	if (!thread.wanted || !signal_wanted(signal->sig)) {
		count_unwanted(IPCSCOPE_SIGNAL_HANDLER, twin);
		return;
	}
	own = thread.state ? handlers_of(thread.state, thread.task) : NULL;
	if (own) {
		push(thread.state, thread.task, own, signal, twin);
		return;
	}
	count_set_up(twin, twin == FIRST_TWIN);
	if (twin == FIRST_TWIN)
		count_lost(IPCSCOPE_SIGNAL_HANDLER, IPCSCOPE_LOST_TABLE_FULL);
}

HOOK("fentry", handler_set_up)
{
	set_up(ctx, FIRST_TWIN);
}

HOOK("fentry", handler_set_up_twin)
{
	set_up(ctx, SECOND_TWIN);
}

/*
 * Of a handler whose set-up was not seen there is no record.  The second twin finds
 * the frame gone.
 */
static __always_inline void returns(void)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = thread_find(task);
	struct ipcscope_handlers *own = thread ? handlers_of(thread, task) : NULL;
	__u64 at, now;
	int i;

	if (!own || !own->depth)
		return;
	at = frame_that_returns(task);
	if (!ipcscope_handler_is_known(own, at))
		return;
	own->fresh = 0;
	now = bpf_ktime_get_ns();
	for (i = 0; i < IPCSCOPE_HANDLER_DEPTH && own->depth; ++i) {
		if (ipcscope_handler_last(own)->at == at) {
			emit_returned(thread, task, own, now);
			break;
		}
		emit_left(thread, task, own, now);
	}
}

HOOK("fentry", handler_returns)
{
	returns();
}

HOOK("fentry", handler_returns_twin)
{
	returns();
}

/* The set-up of a handler changes it, or the return from one that is known. */
static __always_inline bool is_handlers(struct ipcscope_handlers *own,
					struct task_struct *task, __u64 after,
					__u16 syscall)
{
	if (own->expects) {
		own->expects = 0;
		if (own->expected == after)
			return true;
	}
	return syscall == __NR_rt_sigreturn &&
	       ipcscope_handler_is_known(own, frame_that_returns(task));
}

static __always_inline void emit_mask(struct ipcscope_thread_state *thread,
				      struct task_struct *task, __u64 before,
				      __u64 after, __u16 syscall)
{
	struct ipcscope_signal_mask *record;
	__u64 now = bpf_ktime_get_ns();
	struct record_out out;

	name_thread(thread, task, now);
	record = record_begin(&out, IPCSCOPE_SIGNAL_MASK, sizeof(*record), 0, now,
			      id_of(task));
	if (!record)
		return;
	record->before = before;
	record->after = after;
	record->syscall = syscall;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	record_end(&out, record, sizeof(*record));
}

/*
 * (task, mask), of the current task.  sigtimedwait() puts back what it has unblocked
 * while it waited, without a call of this function.
 */
HOOK("fentry", mask_changes)
{
	struct task_struct *task = current_task();
	__u64 before = LOAD(task, blocked.sig[0]), after;
	struct ipcscope_handlers *own = NULL;
	struct own_thread thread;
	__u16 syscall;

	if (bpf_probe_read_kernel(&after, sizeof(after), (void *)ctx[1]) ||
	    before == after)
		return;
	syscall = syscall_of(task);
	if (syscall == __NR_rt_sigtimedwait)
		return;
	thread = own_thread();
	if (thread.state)
		own = handlers_of(thread.state, thread.task);
	if (own && is_handlers(own, thread.task, after, syscall))
		return;
	if (!thread.wanted || !((before ^ after) & config.signal_mask)) {
		count_filtered(IPCSCOPE_SIGNAL_MASK);
		return;
	}
	emit_mask(thread.state, thread.task, before, after, syscall);
}
