/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows about differences between kernels.  configure
 * answers each question by compiling configure/QUESTION/test.c against the
 * kernel's headers; its IPCSCOPE_HAS_QUESTION is defined where that compiles.
 */
#ifndef IPCSCOPE_COMPAT_H
#define IPCSCOPE_COMPAT_H

#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sched.h>

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

/* (preempt, prev, next), and since 5.18 (9c2136be0878) prev_state. */
#ifdef IPCSCOPE_HAS_SCHED_SWITCH_PREV_STATE
#define SCOPE_SCHED_SWITCH(name)					\
	void name(void *data, bool preempt, struct task_struct *prev,	\
		  struct task_struct *next, unsigned int prev_state)
#else
#define SCOPE_SCHED_SWITCH(name)					\
	void name(void *data, bool preempt, struct task_struct *prev,	\
		  struct task_struct *next)
#endif

/* (task), and since 6.16 group_dead. */
#ifdef IPCSCOPE_HAS_PROCESS_EXIT_GROUP_DEAD
#define SCOPE_PROCESS_EXIT(name) \
	void name(void *data, struct task_struct *task, bool group_dead)
#else
#define SCOPE_PROCESS_EXIT(name) \
	void name(void *data, struct task_struct *task)
#endif

/*
 * dequeue_signal() is (task, mask, info) until 5.16, (task, mask, info, type)
 * until 6.11, (mask, info, type) since.
 */
#ifdef IPCSCOPE_HAS_DEQUEUE_SIGNAL_WITHOUT_TASK
#define SCOPE_DEQUEUE_INFO	1
#else
#define SCOPE_DEQUEUE_INFO	2
#endif

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
