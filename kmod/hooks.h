/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which hook goes where, and the handlers' declarations.  Tracepoints are
 * found by name, since none of those that we need is exported to modules; the
 * handlers' types are checked against the kernel's own by the compiler.
 */
#ifndef IPCSCOPE_HOOKS_H
#define IPCSCOPE_HOOKS_H

#include <linux/kprobes.h>

#include <ipcscope/transport.h>

#include "compat.h"
#include "trace.h"

struct kernel_siginfo;
struct k_sigaction;

#define SCOPE_HOOKS	(SCOPE_TRACEPOINTS + SCOPE_FUNCTIONS)

/* All that the families want, or nothing: -errno of the hook that failed. */
int scope_hooks_attach(struct scope_trace *trace);

/* On return no handler runs any more. */
void scope_hooks_detach(struct scope_trace *trace);

void scope_hook_describe(struct scope_trace *trace, u32 index,
			 struct ipcscope_hook *hook);

/* The trace that a kretprobe's instance belongs to. */
struct scope_trace *scope_trace_of(struct kretprobe_instance *instance);

/* signal.c */
/* What the return needs of a send's arguments. */
struct scope_call_send {
	struct task_struct *target;
	int sig;
};

struct scope_send __percpu *scope_sends_alloc(void);
int scope_send_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_send_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_dequeue_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_dequeue_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_get_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_get_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
void scope_signal_generate(void *data, int sig, struct kernel_siginfo *info,
			   struct task_struct *target, int group, int result);
void scope_signal_deliver(void *data, int sig, struct kernel_siginfo *info,
			  struct k_sigaction *action);

/* pipe.c */
int scope_read_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_write_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_pipe_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
void scope_pipe_unfinished(struct scope_call *call, void *trace);

/* task.c */
SCOPE_SCHED_SWITCH(scope_sched_switch);
SCOPE_SCHED_SWITCH(scope_sched_switch_stacks);
void scope_sched_waking(void *data, struct task_struct *task);
SCOPE_PROCESS_EXIT(scope_process_exit);
void scope_process_free(void *data, struct task_struct *task);
void scope_process_fork(void *data, struct task_struct *parent,
			struct task_struct *child);

#endif /* IPCSCOPE_HOOKS_H */
