/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One trace: all that an open /dev/ipcscope has.  Who needs what:
 *
 *   device.c   file operations, the states, the shared memory
 *   hooks.c    which hook goes where; attaches and takes away
 *   signal.c   signals generated; take.c: taken; handler.c: handled
 *   oom.c      the OOM killer
 *   terminal.c a terminal that hangs up
 *   pipe.c     reads and writes of pipes; splice.c: what else is done to them
 *   unix.c     calls on Unix-domain sockets
 *   task.c     the scheduler's hooks: birth, switch, wake-up, exec, end
 *   time.c     the time of threads and of their calls
 *   name.c     THREAD records
 *   state.c    what a task is in
 *   threads.c  the state of each traced thread
 *   emit.c     the only place that writes rings and ledgers
 *   filter.c   which tasks are wanted
 *   stat.c     sums instead of records; pending.c: signals that they wait for
 *   stacks.c   kernel stacks of tasks that went to sleep in D or K
 */
#ifndef IPCSCOPE_TRACE_H
#define IPCSCOPE_TRACE_H

#include <linux/ftrace.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <ipcscope/transport.h>

#include "filter.h"
#include "oom.h"
#include "stacks.h"
#include "threads.h"

struct scope_stat;
struct tracepoint;

#define SCOPE_TRACEPOINTS	7
#define SCOPE_FUNCTIONS		39

/* One CPU's ring.  Only that CPU writes here, with interrupts off. */
struct scope_ring {
	void *data;			/* ring_bytes, mapped by the reader */
	struct ipcscope_cpu *cpu;	/* in the status area */
	const struct ipcscope_consumer *consumer;	/* the reader's word */
	u64 position;			/* ours: cpu->position is for show */
	bool busy;			/* a record is being written */
} ____cacheline_aligned_in_smp;

/*
 * What is attached to a function, in memory of its own, for it may have to
 * stay: a kretprobe, or what watches its entry, by ftrace or by the kretprobe's
 * kp.
 */
struct scope_probe {
	struct kretprobe kretprobe;
	struct ftrace_ops ops;
	struct scope_trace *trace;	/* NULL: the trace has gone away */
	u64 missed[2];			/* before the window: see hooks.c */
};

enum scope_state { SCOPE_OPEN, SCOPE_RUNNING, SCOPE_STOPPED };

struct scope_trace {
	struct mutex lock;		/* state, and all that START makes */
	enum scope_state state;

	/* Hooks count what happens at start_ns or later, for window_ns. */
	u64 start_ns;
	u64 window_ns;			/* 0: not yet */

	struct ipcscope_start config;
	struct scope_filters filters;

	void *status_area;		/* ipcscope_status, ipcscope_cpu[] */
	struct ipcscope_consumer *consumers;
	struct scope_ring *rings;	/* by CPU number */
	unsigned int cpus;

	struct scope_threads threads;
	struct scope_stacks stacks;
	struct scope_send *sends;	/* signal.c */
	struct ipcscope_handlers *handlers;	/* handler.c; by thread */
	struct scope_oom oom;
	u64 hangup;			/* terminal.c: tid << 32 | dev_t, the last */
	struct scope_stat *stat;	/* NULL: it makes records */

	struct tracepoint *tracepoints[SCOPE_TRACEPOINTS];
	bool tracepoint_attached[SCOPE_TRACEPOINTS];
	int tracepoint_error[SCOPE_TRACEPOINTS];
	struct scope_probe *probes[SCOPE_FUNCTIONS];	/* NULL: not attached */
	const char *function_target[SCOPE_FUNCTIONS];
	int function_error[SCOPE_FUNCTIONS];

	/* Where IOC_UNFINISHED has got to: time.c. */
	u32 unfinished_count;
	u32 unfinished_thread;		/* index in threads.all ... */
	u32 unfinished_first;		/* ... and of its first record */

	wait_queue_head_t wait;
	struct irq_work wakeup;
	struct delayed_work heartbeat;
};

static inline struct ipcscope_status *scope_status(struct scope_trace *trace)
{
	return trace->status_area;
}

/*
 * Whether what happens at `now` counts.  It is the same for all hooks, since
 * both ends of the window are set before they have come (scope_trace_arm()).
 */
static inline bool scope_armed(const struct scope_trace *trace, u64 now)
{
	u64 window_ns = READ_ONCE(trace->window_ns);

	smp_rmb();	/* who sees a window sees where it starts */
	return now - READ_ONCE(trace->start_ns) < window_ns;
}

/* Whether the answer can be yes: for those that do not need the time. */
static inline bool scope_may_be_armed(const struct scope_trace *trace)
{
	return READ_ONCE(trace->window_ns);
}

#endif /* IPCSCOPE_TRACE_H */
