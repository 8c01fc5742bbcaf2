/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows about differences between kernels.  configure
 * answers each question by compiling configure/QUESTION/test.c against the
 * kernel's headers; its IPCSCOPE_HAS_QUESTION is defined where that compiles.
 */
#ifndef IPCSCOPE_COMPAT_H
#define IPCSCOPE_COMPAT_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <net/sock.h>

#include "configure.h"

#ifndef IPCSCOPE_HAS_SANITY
#error "configure cannot compile anything against these headers"
#endif

/* Until 5.13 (2f064a59a11f) the field was volatile long state. */
static inline unsigned int scope_task_state_bits(struct task_struct *task)
{
#ifdef IPCSCOPE_HAS_TASK_STATE_UNDERSCORES
	return READ_ONCE(task->__state);
#else
	return READ_ONCE(task->state);
#endif
}

static inline bool scope_task_on_cpu(struct task_struct *task)
{
#ifdef CONFIG_SMP
	return READ_ONCE(task->on_cpu);
#else
	return task == current;
#endif
}

/* (preempt, prev, next), and since 5.18 (9c2136be0878) prev_state. */
#ifdef IPCSCOPE_HAS_SCHED_SWITCH_PREV_STATE
#define SCOPE_SCHED_SWITCH(name)					\
	void name(void *data, bool preempt, struct task_struct *prev,	\
		  struct task_struct *next, unsigned int prev_state)
#define SCOPE_PREV_BITS(prev)	prev_state
#else
#define SCOPE_SCHED_SWITCH(name)					\
	void name(void *data, bool preempt, struct task_struct *prev,	\
		  struct task_struct *next)
#define SCOPE_PREV_BITS(prev)	scope_task_state_bits(prev)
#endif

/*
 * dequeue_signal() is (task, mask, info) until 5.16, (task, mask, info, type)
 * until 6.11, (mask, info, type) since.
 */
#ifdef IPCSCOPE_HAS_DEQUEUE_SIGNAL_WITHOUT_TASK
#define SCOPE_DEQUEUE_MASK	0
#define SCOPE_DEQUEUE_INFO	1
#else
#define SCOPE_DEQUEUE_MASK	1
#define SCOPE_DEQUEUE_INFO	2
#endif

/* In signal->core_state since 5.16 (0258b5fd7c71), a flag until then. */
static inline bool scope_dumps_core(const struct signal_struct *signal)
{
#ifdef IPCSCOPE_HAS_SIGNAL_CORE_STATE
	return READ_ONCE(signal->core_state);
#else
	return READ_ONCE(signal->flags) & SIGNAL_GROUP_COREDUMP;
#endif
}

/* Renamed in 5.17 by 60700e38fb68. */
static inline bool scope_execs(const struct signal_struct *signal)
{
#ifdef IPCSCOPE_HAS_GROUP_EXEC_TASK
	return READ_ONCE(signal->group_exec_task);
#else
	return READ_ONCE(signal->group_exit_task);
#endif
}

/* A flag until 6.1 (f5d39b020809), when it became a bit of the state. */
static inline bool scope_is_frozen(const struct task_struct *task)
{
#ifdef PF_FROZEN
	return READ_ONCE(task->flags) & PF_FROZEN;
#else
	return false;
#endif
}

/* Since 5.11 (d741bf41d7c7) an instance does not point to its probe itself. */
static inline struct kretprobe *
scope_kretprobe_of(struct kretprobe_instance *instance)
{
#ifdef IPCSCOPE_HAS_GET_KRETPROBE
	return get_kretprobe(instance);
#else
	return instance->rp;
#endif
}

/*
 * What watches the entry of a function: ftrace itself, where it can, else a
 * kprobe.  The registers are in a struct of their own since 5.11 (d19ad0775dcd),
 * and since 6.2 (94d095ffa0e1) a function's arguments can be had alone.
 */
#if defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS) ||				\
	defined(IPCSCOPE_HAS_FTRACE_REGS_ARGUMENT)
#define SCOPE_WATCHES_BY_FTRACE

#ifdef IPCSCOPE_HAS_FTRACE_REGS
#define SCOPE_WATCHER(name)						\
	void name(unsigned long ip, unsigned long parent,		\
		  struct ftrace_ops *ops, struct ftrace_regs *regs)
#else
#define SCOPE_WATCHER(name)						\
	void name(unsigned long ip, unsigned long parent,		\
		  struct ftrace_ops *ops, struct pt_regs *regs)
#endif

#if defined(IPCSCOPE_HAS_FTRACE_REGS_ARGUMENT)
#define SCOPE_WATCH_FLAGS	0
#define SCOPE_ARGUMENT(regs, n)	ftrace_regs_get_argument(regs, n)
#elif defined(IPCSCOPE_HAS_FTRACE_REGS)
#define SCOPE_WATCH_FLAGS	FTRACE_OPS_FL_SAVE_REGS
#define SCOPE_ARGUMENT(regs, n)	\
	regs_get_kernel_argument(ftrace_get_regs(regs), n)
#else
#define SCOPE_WATCH_FLAGS	\
	(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION_SAFE)
#define SCOPE_ARGUMENT(regs, n)	regs_get_kernel_argument(regs, n)
#endif

#else /* by kprobe */
#define SCOPE_WATCHER(name)						\
	int name(struct kprobe *kprobe, struct pt_regs *regs)
#define SCOPE_ARGUMENT(regs, n)	regs_get_kernel_argument(regs, n)
#endif

/* unix_accept()'s third argument: the flags, and since 6.10 (92ef0fd55ac8) a struct. */
static inline unsigned int scope_accept_flags(const void *argument)
{
#ifdef IPCSCOPE_HAS_ACCEPT_ARGUMENT
	return ((const struct proto_accept_arg *)argument)->flags;
#else
	return (unsigned long)argument;
#endif
}

/* vm_flags is read-only since 6.3 (bc292ab00f6c). */
static inline void scope_vm_flags_clear(struct vm_area_struct *vma,
					unsigned long flags)
{
#ifdef IPCSCOPE_HAS_VM_FLAGS_CLEAR
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

#endif /* IPCSCOPE_COMPAT_H */
