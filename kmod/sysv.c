// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V message queues and semaphores: every msgsnd(), msgrcv() and semop().
 *
 * What an id stands for is found by the kernel itself, inside the call: the return
 * of ipc_obtain_object_check() fills the record's tail.
 */
#include <linux/err.h>
#include <linux/ipc.h>
#include <linux/list.h>
#include <linux/sem.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "call.h"

/* ipc/sem.c and ipc/msg.c have these for themselves; so since 4.19. */
struct sem {
	int semval;
	struct pid *sempid;
	spinlock_t lock;
	struct list_head pending_alter;
	struct list_head pending_const;
	time64_t sem_otime;
} ____cacheline_aligned_in_smp;

struct sem_array {
	struct kern_ipc_perm sem_perm;
	time64_t sem_ctime;
	struct list_head pending_alter;
	struct list_head pending_const;
	struct list_head list_id;
	int sem_nsems;
	int complex_count;
	unsigned int use_global_lock;
	struct sem sems[];
};

struct msg_queue {
	struct kern_ipc_perm q_perm;
	time64_t q_stime;
	time64_t q_rtime;
	time64_t q_ctime;
	unsigned long q_cbytes;
	unsigned long q_qnum;
};

/* call.peer until the object has been found, with the semaphore's number. */
#define NOT_OBTAINED	0x10000

static void look_at_call(struct ipcscope_call *call, struct pt_regs *regs,
			 u8 type, u32 requested, s64 amount, u8 flags)
{
	call->object = (u32)regs_get_kernel_argument(regs, 0);
	call->peer = NOT_OBTAINED;
	call->dev = 0;
	call->type = type;
	call->flags = flags;
	call->requested = requested;
	call->tail.sysv.key = 0;
	call->tail.sysv.depth = 0;
	call->tail.sysv.amount = amount;
	call->tail.sysv.semaphore_value = 0;
}

static u32 bytes_of(struct pt_regs *regs, unsigned int argument)
{
	return min_t(u64, regs_get_kernel_argument(regs, argument), U32_MAX);
}

static u8 nonblock_flag(int flags)
{
	return flags & IPC_NOWAIT ? IPCSCOPE_CALL_NONBLOCK : 0;
}

/* (id, type, text, bytes, flags) */
static void look_at_msgsnd(struct ipcscope_call *call, struct pt_regs *regs)
{
	look_at_call(call, regs, IPCSCOPE_OBJECT_SYSV_MSG,
		     bytes_of(regs, 3),
		     regs_get_kernel_argument(regs, 1),
		     nonblock_flag(regs_get_kernel_argument(regs, 4)));
}

/* (id, buffer, bytes, type, flags, handler) */
static void look_at_msgrcv(struct ipcscope_call *call, struct pt_regs *regs)
{
	look_at_call(call, regs, IPCSCOPE_OBJECT_SYSV_MSG,
		     bytes_of(regs, 2), regs_get_kernel_argument(regs, 3),
		     nonblock_flag(regs_get_kernel_argument(regs, 4)));
}

/* (id, operations, count, timeout), the operations in user space */
static void look_at_semop(struct ipcscope_call *call, struct pt_regs *regs)
{
	struct sembuf first = {};
	bool unread;

	pagefault_disable();
	unread = __copy_from_user_inatomic(&first,
		(const void __user *)regs_get_kernel_argument(regs, 1),
		sizeof(first));
	pagefault_enable();
	if (unread)
		memset(&first, 0, sizeof(first));
	look_at_call(call, regs, IPCSCOPE_OBJECT_SYSV_SEM, 0, first.sem_op,
		     nonblock_flag(first.sem_flg) |
		     (first.sem_flg & SEM_UNDO ? IPCSCOPE_CALL_UNDO : 0));
	call->peer |= first.sem_num;
	call->object |= (u64)first.sem_num << 32;
	call->tail.sysv.depth = regs_get_kernel_argument(regs, 2);
}

int scope_msgsnd_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_call *call = (void *)ri->data;

	if (scope_call_enter(ri, regs, IPCSCOPE_CALL_SYSV, IPCSCOPE_OP_SEND,
			     look_at_msgsnd))
		return 1;
	call->requested = bytes_of(regs, 3);	/* of a sum */
	return 0;
}

int scope_msgrcv_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_SYSV,
				IPCSCOPE_OP_RECEIVE, look_at_msgrcv);
}

int scope_semop_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_SYSV,
				IPCSCOPE_OP_SEMAPHORE, look_at_semop);
}

int scope_sysv_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct scope_call *call = (void *)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);

	if (!trace)
		return 0;
	if (!trace->stat)
		call->thread->call.peer = 0;
	scope_call_returns(trace, call, regs_return_value(regs));
	return 0;
}

/* (ids, id) */
int scope_sysv_obtain_enter(struct kretprobe_instance *ri,
			    struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || !scope_may_be_armed(trace))
		return 1;
	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_SYSV);
	local_irq_restore(flags);
	return !thread || !(thread->call.peer & NOT_OBTAINED);
}

static void note_object(struct ipcscope_call *call,
			const struct kern_ipc_perm *object)
{
	const struct sem_array *array =
		container_of(object, struct sem_array, sem_perm);
	const struct msg_queue *queue =
		container_of(object, struct msg_queue, q_perm);
	u32 number = call->peer & 0xffff;

	call->tail.sysv.key = object->key;
	if (call->type == IPCSCOPE_OBJECT_SYSV_MSG)
		call->tail.sysv.depth = READ_ONCE(queue->q_qnum);
	else if (number < array->sem_nsems)
		call->tail.sysv.semaphore_value =
			READ_ONCE(array->sems[number].semval);
	call->peer = 0;
}

/* Its caller holds the RCU lock, under which the object stays. */
int scope_sysv_obtain_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct kern_ipc_perm *object = (void *)regs_return_value(regs);
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || IS_ERR(object))
		return 0;
	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_SYSV);
	if (thread && (thread->call.peer & NOT_OBTAINED))
		note_object(&thread->call, object);
	local_irq_restore(flags);
	return 0;
}
