/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that have been entered and not left, by thread.  An entry lives in the
 * data of its kretprobe's instance, so it needs no memory of its own; it must
 * be out of the table before the instance goes: when the call returns, when
 * its task dies, or when the trace ends, whichever comes first.
 */
#ifndef IPCSCOPE_CALLS_H
#define IPCSCOPE_CALLS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <ipcscope/record.h>

struct ksignal;
struct task_struct;

struct scope_call {
	struct hlist_node node;		/* unhashed: not in the table */
	u64 enter_ns;
	u64 sleep_ns;			/* off the CPU since, 0: running */
	u64 wake_ns;			/* woken at, 0: not yet */
	const struct ksignal *ksignal;	/* of a get_signal() */
	struct task_struct *task;
	pid_t tid;
	u16 kind;			/* IPCSCOPE_PIPE_READ, ... */
	u8 sleep_state;			/* IPCSCOPE_STATE_ it sleeps in */
	struct ipcscope_pipe_op pipe;	/* of a pipe's, filled as it goes */
};

struct scope_bucket {
	raw_spinlock_t lock;
	struct hlist_head calls;
};

struct scope_calls {
	struct scope_bucket *buckets;
	bool closed;			/* no new ones */
};

int scope_calls_init(struct scope_calls *calls);
void scope_calls_free(struct scope_calls *calls);

/* False where the trace has ended: the call is not watched. */
bool scope_call_enter(struct scope_calls *calls, struct scope_call *call);

/* False where somebody else has taken it out. */
bool scope_call_leave(struct scope_calls *calls, struct scope_call *call);

/*
 * Takes out a call of a thread that ends, and tells its kind and entry; 0:
 * there was none.
 */
u16 scope_call_abandon(struct scope_calls *calls, pid_t tid, u64 *enter_ns);

/* Visits the pipe call of a thread, under the lock of its bucket. */
void scope_call_visit(struct scope_calls *calls, pid_t tid,
		      void (*visit)(struct scope_call *call, void *data),
		      void *data);

/* Ends the table: no call gets in any more, each that is in it is visited. */
void scope_calls_close(struct scope_calls *calls);
void scope_calls_drain(struct scope_calls *calls,
		       void (*visit)(struct scope_call *call, void *data),
		       void *data);

#endif /* IPCSCOPE_CALLS_H */
