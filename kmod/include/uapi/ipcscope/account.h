/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time ledger of one thread: pure functions that both backends call from
 * the scheduler's hooks and at the entry and exit of calls.
 *
 *     last record      enter              exit
 *     --+-----------------+-----------------+--
 *       |     between     |     inside      |
 *    since_ns          enter_ns
 *
 * Each nanosecond from since_ns on is in exactly one field, or the thread ran:
 * running = span - the sum of the fields.  A thread is off the CPU from leave()
 * to resume(); wake() cuts that time in two: asleep, and runnable.
 *
 * The hooks of one thread follow each other, but its exit hook may be preempted,
 * so that leave() and resume() come in between.  That is why a record takes a
 * copy of the times (ipcscope_times), and then subtracts the copy: what was added
 * meanwhile stays for the next record.  `switches` shows whether the copy and
 * the record's time are of one instant.
 */
#ifndef IPCSCOPE_ACCOUNT_H
#define IPCSCOPE_ACCOUNT_H

#include "policy.h"

/* Index of a state's time between calls, in the order of BETWEEN_FIELDS. */
#define IPCSCOPE_BETWEEN_RUNNABLE		0
#define IPCSCOPE_BETWEEN_SLEEPING		1
#define IPCSCOPE_BETWEEN_POLLING		2
#define IPCSCOPE_BETWEEN_UNINTERRUPTIBLE	3
#define IPCSCOPE_BETWEEN_KILLABLE		4
#define IPCSCOPE_BETWEEN_OTHER			5
#define IPCSCOPE_BETWEEN_COUNT			6

#define IPCSCOPE_INLINE static inline __attribute__((always_inline))

struct ipcscope_times {
	__u64 between[IPCSCOPE_BETWEEN_COUNT];
	__u64 blocked_ns;
	__u64 runnable_ns;
	__u64 uninterruptible_ns;
};

struct ipcscope_account {
	struct ipcscope_times times;	/* of whole stays */
	__u64 since_ns;		/* records have accounted until here */
	__u64 stamp_ns;		/* on, or off, the CPU since; 0: not known */
	__u64 wake_ns;		/* off the CPU: woken at, 0: not yet */
	__u64 enter_ns;		/* of the call that it is in */
	__u64 woken_ns;		/* out of the call's last sleep in S, 0: none */
	__u32 waker_tid;	/* of this stay off the CPU */
	__u32 call_waker_tid;	/* of the call's last sleep in S */
	__u32 switches;		/* times that it left the CPU */
	__u16 syscall;		/* that it sleeps in */
	__u8 state;		/* off the CPU in; RUNNING: on the CPU */
	__u8 call;		/* kind of the call that it is in, 0: none */
	__u8 sleeps;		/* of the call, in S; 255: or more */
	__u8 pad[3];
	__u32 recorded_switches;	/* as of the last record */
};

/* A stay that is to have a record of its own. */
struct ipcscope_stay {
	__u64 start_ns;		/* 0: none */
	__u64 end_ns;
	__u32 waker_tid;
	__u16 syscall;
	__u8 state;
	__u8 call;
};

/* All but the header. */
IPCSCOPE_INLINE void ipcscope_fill_slice(struct ipcscope_slice *record,
					 const struct ipcscope_stay *stay)
{
	record->start_ns = stay->start_ns;
	record->end_ns = stay->end_ns;
	record->waker_tid = stay->waker_tid;
	record->syscall = stay->syscall;
	record->state = stay->state;
	record->call = stay->call;
}

IPCSCOPE_INLINE int ipcscope_between_of(__u8 state)
{
	switch (state) {
	case IPCSCOPE_STATE_RUNNING:
	case IPCSCOPE_STATE_RUNNABLE:
		return IPCSCOPE_BETWEEN_RUNNABLE;
	case IPCSCOPE_STATE_INTERRUPTIBLE:
	case IPCSCOPE_STATE_IDLE:
		return IPCSCOPE_BETWEEN_SLEEPING;
	case IPCSCOPE_STATE_POLLING:
		return IPCSCOPE_BETWEEN_POLLING;
	case IPCSCOPE_STATE_UNINTERRUPTIBLE:
		return IPCSCOPE_BETWEEN_UNINTERRUPTIBLE;
	case IPCSCOPE_STATE_KILLABLE:
		return IPCSCOPE_BETWEEN_KILLABLE;
	default:
		return IPCSCOPE_BETWEEN_OTHER;
	}
}

/* Inside a call: asleep for the object, or for something else. */
IPCSCOPE_INLINE int ipcscope_blocked_in(__u8 state)
{
	return state == IPCSCOPE_STATE_INTERRUPTIBLE ||
	       state == IPCSCOPE_STATE_POLLING;
}

/* A thread whose time is accounted for from now on; it runs, unless said else. */
IPCSCOPE_INLINE void ipcscope_account_begin(struct ipcscope_account *account,
					    __u64 now)
{
	account->since_ns = now;
	account->stamp_ns = now;
	account->state = IPCSCOPE_STATE_RUNNING;
	account->syscall = IPCSCOPE_SYSCALL_NONE;
	account->recorded_switches = ~0U;	/* it may not have run yet */
}

IPCSCOPE_INLINE void ipcscope_add_stay(struct ipcscope_account *account,
				       __u8 state, __u64 ns)
{
	struct ipcscope_times *times = &account->times;

	if (!account->call) {
		/* Constant indices: the BPF verifier tracks no others. */
		switch (ipcscope_between_of(state)) {
		case IPCSCOPE_BETWEEN_RUNNABLE:
			times->between[IPCSCOPE_BETWEEN_RUNNABLE] += ns;
			break;
		case IPCSCOPE_BETWEEN_SLEEPING:
			times->between[IPCSCOPE_BETWEEN_SLEEPING] += ns;
			break;
		case IPCSCOPE_BETWEEN_POLLING:
			times->between[IPCSCOPE_BETWEEN_POLLING] += ns;
			break;
		case IPCSCOPE_BETWEEN_UNINTERRUPTIBLE:
			times->between[IPCSCOPE_BETWEEN_UNINTERRUPTIBLE] += ns;
			break;
		case IPCSCOPE_BETWEEN_KILLABLE:
			times->between[IPCSCOPE_BETWEEN_KILLABLE] += ns;
			break;
		default:
			times->between[IPCSCOPE_BETWEEN_OTHER] += ns;
		}
	} else if (state == IPCSCOPE_STATE_RUNNABLE) {
		times->runnable_ns += ns;
	} else if (ipcscope_blocked_in(state)) {
		times->blocked_ns += ns;
	} else {
		times->uninterruptible_ns += ns;
	}
}

/* Worth a record: a long one, or one of a state that no sum shows. */
IPCSCOPE_INLINE void ipcscope_note_stay(const struct ipcscope_account *account,
					struct ipcscope_stay *stay, __u8 state,
					__u64 start_ns, __u64 end_ns)
{
	stay->start_ns = 0;
	if (end_ns < start_ns ||
	    (end_ns - start_ns < IPCSCOPE_SLICE_NS &&
	     ipcscope_between_of(state) != IPCSCOPE_BETWEEN_OTHER))
		return;
	stay->start_ns = start_ns;
	stay->end_ns = end_ns;
	stay->state = state;
	stay->call = account->call;
	stay->syscall = account->syscall;
	stay->waker_tid = 0;
}

/*
 * It leaves the CPU in `state`; RUNNING: preempted, it still wants one.  Fills
 * `ran` where it ran for long.
 */
IPCSCOPE_INLINE void ipcscope_account_leave(struct ipcscope_account *account,
					    __u64 now, __u8 state,
					    __u16 syscall,
					    struct ipcscope_stay *ran)
{
	ran->start_ns = 0;
	if (account->stamp_ns)
		ipcscope_note_stay(account, ran, IPCSCOPE_STATE_RUNNING,
				   account->stamp_ns, now);
	ran->syscall = IPCSCOPE_SYSCALL_NONE;
	account->state = state == IPCSCOPE_STATE_RUNNING ?
				 IPCSCOPE_STATE_RUNNABLE : state;
	account->stamp_ns = now;
	account->wake_ns = 0;
	account->waker_tid = 0;
	account->syscall = syscall;
	account->switches++;
	if (account->call && ipcscope_blocked_in(state) &&
	    account->sleeps != 255)
		account->sleeps++;
}

IPCSCOPE_INLINE void ipcscope_account_wake(struct ipcscope_account *account,
					   __u64 now, __u32 waker_tid)
{
	if (account->state == IPCSCOPE_STATE_RUNNING ||
	    account->state == IPCSCOPE_STATE_RUNNABLE || account->wake_ns)
		return;
	account->wake_ns = now;
	account->waker_tid = waker_tid;
}

/*
 * It gets a CPU.  A sleeper of whom no wake-up was seen was woken while it was
 * leaving the CPU: it has been runnable ever since.
 */
IPCSCOPE_INLINE void ipcscope_account_resume(struct ipcscope_account *account,
					     __u64 now,
					     struct ipcscope_stay *slept,
					     struct ipcscope_stay *waited)
{
	__u64 left = account->stamp_ns;
	__u64 wake = account->wake_ns > left ? account->wake_ns : left;

	slept->start_ns = 0;
	waited->start_ns = 0;
	if (account->state == IPCSCOPE_STATE_RUNNING)
		return;		/* its leaving was not seen */
	if (now < left)
		now = left;	/* the clocks of two CPUs may differ a little */
	if (wake > now)
		wake = now;
	if (account->state != IPCSCOPE_STATE_RUNNABLE) {
		ipcscope_add_stay(account, account->state, wake - left);
		ipcscope_note_stay(account, slept, account->state, left, wake);
		slept->waker_tid = account->waker_tid;
		if (account->call && ipcscope_blocked_in(account->state)) {
			account->woken_ns = wake;
			account->call_waker_tid = account->waker_tid;
		}
	}
	ipcscope_add_stay(account, IPCSCOPE_STATE_RUNNABLE, now - wake);
	ipcscope_note_stay(account, waited, IPCSCOPE_STATE_RUNNABLE, wake, now);
	account->state = IPCSCOPE_STATE_RUNNING;
	account->stamp_ns = now;
}

/*
 * The stay that is under way as the trace ends, as if it ended now.  Fills
 * `slept` (of a running thread: with that it ran) and `waited` as resume() does.
 */
IPCSCOPE_INLINE void ipcscope_account_flush(struct ipcscope_account *account,
					    __u64 now,
					    struct ipcscope_stay *slept,
					    struct ipcscope_stay *waited)
{
	__u8 state = account->state;

	if (state == IPCSCOPE_STATE_RUNNING) {
		slept->start_ns = 0;
		waited->start_ns = 0;
		if (account->stamp_ns)
			ipcscope_note_stay(account, slept, state,
					   account->stamp_ns, now);
		slept->syscall = IPCSCOPE_SYSCALL_NONE;
		return;
	}
	/* Its return to a CPU, after the stop, was not seen; a record was. */
	if (account->stamp_ns < account->since_ns)
		account->stamp_ns = account->since_ns;
	if (state != IPCSCOPE_STATE_RUNNABLE && !account->wake_ns)
		account->wake_ns = now;
	ipcscope_account_resume(account, now, slept, waited);
	account->state = state;
}

/* A call of `kind` begins. */
IPCSCOPE_INLINE void ipcscope_account_enter(struct ipcscope_account *account,
					    __u64 now, __u8 kind)
{
	account->enter_ns = now;
	account->woken_ns = 0;
	account->call_waker_tid = 0;
	account->sleeps = 0;
	account->call = kind;
}

/*
 * What the scheduler's hooks may add to at the same time: of a thread that runs, only
 * the time that it waited for a CPU.  A BPF program can be preempted between a load
 * and its store; the module's handlers run with interrupts off.
 */
#ifdef __bpf__
#define IPCSCOPE_ADD_SHARED(sum, ns)	((void)__sync_fetch_and_add(&(sum), (ns)))
#else
#define IPCSCOPE_ADD_SHARED(sum, ns)	((void)((sum) += (ns)))
#endif

/* A record accounts for `recorded` until `now`. */
IPCSCOPE_INLINE void ipcscope_account_recorded(struct ipcscope_account *account,
					   const struct ipcscope_times *recorded,
					   __u64 now)
{
	struct ipcscope_times *times = &account->times;

	IPCSCOPE_ADD_SHARED(times->between[IPCSCOPE_BETWEEN_RUNNABLE],
			    -recorded->between[IPCSCOPE_BETWEEN_RUNNABLE]);
	times->between[1] -= recorded->between[1];
	times->between[2] -= recorded->between[2];
	times->between[3] -= recorded->between[3];
	times->between[4] -= recorded->between[4];
	times->between[5] -= recorded->between[5];
	times->blocked_ns -= recorded->blocked_ns;
	IPCSCOPE_ADD_SHARED(times->runnable_ns, -recorded->runnable_ns);
	times->uninterruptible_ns -= recorded->uninterruptible_ns;
	account->since_ns = now;
	account->recorded_switches = account->switches;
	account->call = 0;
}

/*
 * The call that it is in is none that is recorded: what it did inside belongs to the
 * time between calls.
 */
IPCSCOPE_INLINE void ipcscope_account_cancel(struct ipcscope_account *account)
{
	struct ipcscope_times *times = &account->times;
	__u64 runnable;

	account->call = 0;
	runnable = times->runnable_ns;
	IPCSCOPE_ADD_SHARED(times->between[IPCSCOPE_BETWEEN_RUNNABLE], runnable);
	IPCSCOPE_ADD_SHARED(times->runnable_ns, -runnable);
	times->between[IPCSCOPE_BETWEEN_SLEEPING] += times->blocked_ns;
	times->between[IPCSCOPE_BETWEEN_UNINTERRUPTIBLE] +=
		times->uninterruptible_ns;
	times->blocked_ns = 0;
	times->uninterruptible_ns = 0;
}

/*
 * Has it left the CPU since the last record?  If not, it only ran.  Where a hook
 * can be preempted by the hooks of the scheduler, ask ipcscope_times_any().
 */
IPCSCOPE_INLINE int ipcscope_account_left(const struct ipcscope_account *account)
{
	return account->switches != account->recorded_switches;
}

/* A record accounts for all until `now`, in which it only ran. */
IPCSCOPE_INLINE void
ipcscope_account_recorded_run(struct ipcscope_account *account, __u64 now)
{
	account->since_ns = now;
	account->call = 0;
}

/* Did it do anything but run? */
IPCSCOPE_INLINE int ipcscope_times_any(const struct ipcscope_times *times)
{
	return times->between[0] || times->between[1] || times->between[2] ||
	       times->between[3] || times->between[4] || times->between[5] ||
	       times->blocked_ns || times->runnable_ns ||
	       times->uninterruptible_ns;
}

IPCSCOPE_INLINE __u32 ipcscope_ns32(__u64 ns)
{
	return ns > 0xffffffffULL ? 0xffffffffU : (__u32)ns;
}

/* The split of a call's record that ends at `now`. */
#define IPCSCOPE_FILL_BETWEEN(record, times) do {			\
	(record)->between_runnable_ns = (times)->between[0];		\
	(record)->between_sleeping_ns = (times)->between[1];		\
	(record)->between_polling_ns = (times)->between[2];		\
	(record)->between_uninterruptible_ns = (times)->between[3];	\
	(record)->between_killable_ns = (times)->between[4];		\
	(record)->between_other_ns = (times)->between[5];		\
} while (0)

IPCSCOPE_INLINE void
ipcscope_fill_split(struct ipcscope_call_split *record,
		    const struct ipcscope_account *account,
		    const struct ipcscope_times *times, __u64 now)
{
	record->blocked_ns = times->blocked_ns;
	record->runnable_ns = times->runnable_ns;
	record->uninterruptible_ns = times->uninterruptible_ns;
	record->waker_tid = account->call_waker_tid;
	record->woken_before_ns =
		account->woken_ns && account->woken_ns < now ?
			ipcscope_ns32(now - account->woken_ns) : 0;
	IPCSCOPE_FILL_BETWEEN(record, times);
}

IPCSCOPE_ASSERT_SIZE(ipcscope_account, 136);

#endif /* IPCSCOPE_ACCOUNT_H */
