/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One trace: all that an open /dev/ipcscope has.  Who needs what:
 *
 *   device.c   file operations, the states, the shared memory
 *   hooks.c    which hook goes where; attaches and takes away
 *   signal.c, pipe.c, task.c   what each hook does
 *   emit.c     the only place that writes rings and ledgers
 *   filter.c   which tasks are wanted
 *   calls.c    calls entered and not left
 *   stacks.c   kernel stacks of tasks that went to sleep in D or K
 */
#ifndef IPCSCOPE_TRACE_H
#define IPCSCOPE_TRACE_H

#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <ipcscope/transport.h>

#include "calls.h"
#include "filter.h"
#include "stacks.h"

struct tracepoint;

#define SCOPE_TRACEPOINTS	8
#define SCOPE_FUNCTIONS		5

/* One CPU's ring.  Only that CPU writes here, with interrupts off. */
struct scope_ring {
	void *data;			/* ring_bytes, mapped by the reader */
	struct ipcscope_cpu *cpu;	/* in the status area */
	const struct ipcscope_consumer *consumer;	/* the reader's word */
	u64 position;			/* ours: cpu->position is for show */
	bool busy;			/* a record is being written */
} ____cacheline_aligned_in_smp;

/* What is attached to a function; memory of its own, for it may have to stay. */
struct scope_probe {
	struct kretprobe kretprobe;
	struct scope_trace *trace;	/* NULL: the trace has gone without it */
};

enum scope_state { SCOPE_OPEN, SCOPE_RUNNING, SCOPE_STOPPED };

struct scope_trace {
	struct mutex lock;		/* state, and all that START makes */
	enum scope_state state;

	struct ipcscope_start config;
	struct scope_filters filters;

	void *status_area;		/* ipcscope_status, ipcscope_cpu[] */
	struct ipcscope_consumer *consumers;
	struct scope_ring *rings;	/* by CPU number */
	unsigned int cpus;

	struct scope_calls calls;
	struct scope_stacks stacks;
	struct scope_send __percpu *sends;

	struct tracepoint *tracepoints[SCOPE_TRACEPOINTS];
	bool tracepoint_attached[SCOPE_TRACEPOINTS];
	int tracepoint_error[SCOPE_TRACEPOINTS];
	struct scope_probe *probes[SCOPE_FUNCTIONS];	/* NULL: not attached */
	const char *function_target[SCOPE_FUNCTIONS];
	int function_error[SCOPE_FUNCTIONS];

	struct ipcscope_pipe_op *unfinished;
	u32 unfinished_count;

	wait_queue_head_t wait;
	struct irq_work wakeup;
	struct delayed_work heartbeat;
};

static inline struct ipcscope_status *scope_status(struct scope_trace *trace)
{
	return trace->status_area;
}

#endif /* IPCSCOPE_TRACE_H */
