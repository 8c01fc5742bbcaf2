/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls: kept in the thread's state from the entry on, a record at the exit.
 *
 * Twins.  A kernel that can preempt a program (CONFIG_PREEMPT, also lazily)
 * skips it for every other task that comes to the same function on that CPU
 * until the preempted one goes on.  There, two copies of each such program
 * watch the function.  They are equals, whichever runs first does the work:
 *
 *   entry  no call open, or a stale one: open it, fresh;  a fresh one: the twin
 *          has opened it, so only mark it as seen
 *   exit   a call open: emit, close;  none: the twin has done it
 *
 * Both skipped: the call is lost, and the collector knows how many are, from
 * the kernel's own count of skipped runs of the first twin:
 *
 *   lost = skipped(first) + wanted(first) - entered(either)
 *
 * Both exits skipped: the call stays open and is found stale at the next entry.
 */
#ifndef IPCSCOPE_CALL_BPF_H
#define IPCSCOPE_CALL_BPF_H

#include "stat.bpf.h"
#include "thread.bpf.h"

enum twin { FIRST_TWIN, SECOND_TWIN };

static __always_inline struct ipcscope_entries *this_entries(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&entries, &zero);
}

static __always_inline void count_unwanted(__u16 kind, enum twin twin)
{
	struct ipcscope_entries *counts;

	if (twin == FIRST_TWIN)
		count_filtered(kind);
	if (!config.twins)
		return;
	counts = this_entries();
	if (counts)
		__sync_fetch_and_add(&counts->unwanted[kind][twin], 1);
}

/* A run that is about no call of `kind`: one that was skipped may be such a one. */
static __always_inline void count_no_call(__u16 kind, enum twin twin)
{
	struct ipcscope_entries *counts = config.twins ? this_entries() : NULL;

	if (counts)
		__sync_fetch_and_add(&counts->unwanted[kind][twin], 1);
}

/* Counts a wanted entry.  False: the other twin has opened the call. */
static __always_inline bool entry_is_new(struct ipcscope_thread_state *thread,
					 __u16 kind, enum twin twin)
{
	struct ipcscope_entries *counts;

	if (!config.twins)
		return true;
	counts = this_entries();
	if (!counts)
		return true;
	if (twin == FIRST_TWIN)
		__sync_fetch_and_add(&counts->wanted[kind], 1);
	if (thread && thread->fresh && thread->account.call == kind) {
		thread->fresh = 0;
		return false;
	}
	if (thread || twin == FIRST_TWIN)
		__sync_fetch_and_add(&counts->entered[kind], 1);
	return true;
}

/*
 * What a splice or sendfile calls itself (a socket's functions; until 5.12
 * pipe_write) is a part of it.  Another system call finds one that is stale.
 */
static __always_inline bool
is_inside_splice(const struct ipcscope_thread_state *thread,
		 struct task_struct *task, __u16 kind)
{
	return thread->account.call == IPCSCOPE_CALL_SPLICE &&
	       kind != IPCSCOPE_CALL_SPLICE && is_splicing(syscall_of(task));
}

/* NULL: not wanted, the twin has done it, or no room: counted. */
static __always_inline struct ipcscope_thread_state *
call_begins(__u16 kind, enum twin twin)
{
	struct own_thread own = own_thread();
	struct ipcscope_thread_state *thread = own.state;

	if (!own.wanted) {
		count_unwanted(kind, twin);
		return NULL;
	}
	if (thread && is_inside_splice(thread, own.task, kind)) {
		count_no_call(kind, twin);
		return NULL;
	}
	if (!entry_is_new(thread, kind, twin))
		return NULL;
	if (!thread) {
		if (twin == FIRST_TWIN)
			count_lost(kind, IPCSCOPE_LOST_TABLE_FULL);
		return NULL;
	}
	if (thread->account.call) {
		struct ipcscope_times times = thread->account.times;

		count_lost(thread->account.call, IPCSCOPE_LOST_RECURSION);
		ipcscope_account_recorded(&thread->account, &times,
					  bpf_ktime_get_ns());
	}
	return thread;
}

/*
 * From now on the thread is inside the call.  Where it was preempted around the
 * instant that was taken for the entry, that is taken anew, after what it waited.
 */
static __always_inline void call_opens(struct ipcscope_thread_state *thread,
				       __u16 kind)
{
	struct ipcscope_account *account = &thread->account;
	__u64 switches, waited;
	int i;

	if (IPCSCOPE_STAT && !config.twins) {
		account->enter_ns = bpf_ktime_get_ns();
		account->call = kind;
		return;
	}
	if (!config.twins) {
		ipcscope_account_enter(account, bpf_ktime_get_ns(), kind);
		return;
	}
	for (i = 0; i < 4; ++i) {
		switches = account->switches;
		barrier();
		waited = account->times.runnable_ns;
		if (waited) {
			IPCSCOPE_ADD_SHARED(account->times.between
					    [IPCSCOPE_BETWEEN_RUNNABLE], waited);
			IPCSCOPE_ADD_SHARED(account->times.runnable_ns, -waited);
		}
		ipcscope_account_enter(account, bpf_ktime_get_ns(), kind);
		barrier();
		if (account->switches == switches)
			break;
	}
	thread->fresh = 1;
}

/* Of a call's `requested`. */
static __always_inline __u32 bytes32(__u64 bytes)
{
	return bytes > 0xffffffffULL ? 0xffffffffU : (__u32)bytes;
}

/* What a record that ends at `now` says of the thread's time. */
struct call_end {
	__u64 now;
	struct ipcscope_times times;	/* as in the account */
	__u64 late_ns;	/* of between[RUNNABLE]: inside, after the close */
	__u16 kind;
	__u16 flags;	/* of the header */
};

/*
 * The thread is outside from now on.  Takes a copy of its times and the time of
 * the same instant; a program can only be preempted, not sleep.
 */
static __always_inline void call_closes(struct ipcscope_account *account,
					struct call_end *end)
{
	__u64 runnable = account->times.between[IPCSCOPE_BETWEEN_RUNNABLE];
	__u64 switches;
	int i;

	account->call = 0;
	for (i = 0; i < 4; ++i) {
		barrier();
		switches = account->switches;
		barrier();
		end->times = account->times;
		end->now = bpf_ktime_get_ns();
		barrier();
		if (!config.twins || account->switches == switches)
			break;
	}
	end->late_ns = config.twins ?
		end->times.between[IPCSCOPE_BETWEEN_RUNNABLE] - runnable : 0;
}

static __always_inline void fill_call(void *record,
				      const struct ipcscope_thread_state *thread,
				      int ret)
{
	const struct ipcscope_account *account = &thread->account;
	const struct ipcscope_open_call *open = &thread->call;
	struct ipcscope_call *call = record;

	call->since_ns = account->since_ns;
	call->enter_ns = account->enter_ns;
	call->object = open->object;
	call->peer = open->peer;
	call->requested = open->requested;
	call->ret = ret;
	call->dev = open->dev;
	call->type = open->type;
	call->op = open->op;
	call->flags = open->flags;
	call->sleeps = account->sleeps;
	call->tail = open->tail;
}

NOINLINE void
emit_call_split(const struct ipcscope_thread_state *thread,
		struct task_struct *task, int ret, const struct call_end *end)
{
	struct ipcscope_call_split *record;
	struct record_out out;

	record = record_begin(&out, end->kind, sizeof(*record), end->flags,
			      end->now, id_of(task));
	if (!record)
		return;
	fill_call(record, thread, ret);
	ipcscope_fill_split(record, &thread->account, &end->times, end->now);
	record->runnable_ns += end->late_ns;
	record->between_runnable_ns -= end->late_ns;
	record_end(&out, record, sizeof(*record));
}

static __always_inline void
emit_call_short(const struct ipcscope_thread_state *thread, __u64 id, __u16 kind,
		__u16 flags, int ret, __u64 now)
{
	struct ipcscope_call *record;
	struct record_out out;

	record = record_begin(&out, kind, sizeof(*record), flags, now, id);
	if (!record)
		return;
	fill_call(record, thread, ret);
	record_end(&out, record, sizeof(*record));
}

/* The program can be preempted, or the thread did more than run. */
static __always_inline void
call_ends_split(struct ipcscope_thread_state *thread, struct task_struct *task,
		__u16 kind, __u16 flags, int ret)
{
	struct call_end end = { .kind = kind, .flags = flags };

	call_closes(&thread->account, &end);
	name_thread(thread, task, end.now);
	if (ipcscope_times_any(&end.times))
		emit_call_split(thread, task, ret, &end);
	else
		emit_call_short(thread, id_of(task), kind, flags, ret, end.now);
	ipcscope_account_recorded(&thread->account, &end.times, end.now);
}

/* The record of the current thread's call; closes it. */
static __always_inline void call_ends(struct ipcscope_thread_state *thread,
				      struct task_struct *task, __u16 kind,
				      __u16 flags, int ret)
{
	struct ipcscope_account *account = &thread->account;
	__u64 now;

	if (IPCSCOPE_STAT) {
		stat_call(thread, task, kind, ret);
		return;
	}
	if (config.twins || ipcscope_account_left(account)) {
		call_ends_split(thread, task, kind, flags, ret);
		return;
	}
	now = bpf_ktime_get_ns();
	name_thread(thread, task, now);
	emit_call_short(thread, id_of(task), kind, flags, ret, now);
	ipcscope_account_recorded_run(account, now);
}

/* At a function's exit: the record of the call that its entry opened. */
static __always_inline void call_exits(__u16 kind, __u8 op, int ret)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = thread_find(task);

	if (thread && thread->account.call == kind && thread->call.op == op)
		call_ends(thread, task, kind, 0, ret);
}

#endif /* IPCSCOPE_CALL_BPF_H */
