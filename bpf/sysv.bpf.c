// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V message queues and semaphores: every msgsnd(), msgrcv() and semop().
 *
 * What an id stands for is found by the kernel itself, inside the call: the exit of
 * ipc_obtain_object_check() fills the record's tail.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

struct user_sembuf {
	unsigned short num;
	short op;
	short flags;
};

#define SEM_UNDO	0x1000	/* of its flags (linux/sem.h) */

/* Of the open call: what the exit of ipc_obtain_object_check() is to find. */
#define NOT_OBTAINED	0x10000		/* peer, with the semaphore's number */

/* IPC_NOWAIT */
static __always_inline __u8 nonblock_flag(__u64 flags)
{
	return flags & O_NONBLOCK ? IPCSCOPE_CALL_NONBLOCK : 0;
}

static __always_inline void look_at_call(struct ipcscope_open_call *call,
					 int id, __u8 type, __u64 requested,
					 __s64 amount, __u8 flags)
{
	call->object = (__u32)id;
	call->peer = NOT_OBTAINED;
	call->dev = 0;
	call->type = type;
	call->flags = flags;
	call->requested = bytes32(requested);
	call->tail.sysv.key = 0;
	call->tail.sysv.depth = 0;
	call->tail.sysv.amount = (__s32)amount;
	call->tail.sysv.semaphore_value = 0;
}

static __always_inline void message_enters(int id, __u64 bytes, __s64 type,
					   __u64 flags, __u8 op, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_SYSV, twin);

	if (!thread)
		return;
	look_at_call(&thread->call, id, IPCSCOPE_OBJECT_SYSV_MSG, bytes, type,
		     nonblock_flag(flags));
	thread->call.op = op;
	call_opens(thread, IPCSCOPE_CALL_SYSV);
}

/* (id, type, text, bytes, flags) */
static __always_inline void msgsnd_enters(__u64 *ctx, enum twin twin)
{
	message_enters((int)ctx[0], ctx[3], ctx[1], ctx[4], IPCSCOPE_OP_SEND,
		       twin);
}

/* (id, buffer, bytes, type, flags, handler) */
static __always_inline void msgrcv_enters(__u64 *ctx, enum twin twin)
{
	message_enters((int)ctx[0], ctx[2], ctx[3], ctx[4],
		       IPCSCOPE_OP_RECEIVE, twin);
}

/* (id, operations, count, timeout), the operations in user space */
static __always_inline void semop_enters(__u64 *ctx, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_SYSV, twin);
	struct user_sembuf first = {};

	if (!thread)
		return;
	if (needs_object())
		bpf_probe_read_user(&first, sizeof(first), (void *)ctx[1]);
	look_at_call(&thread->call, (int)ctx[0], IPCSCOPE_OBJECT_SYSV_SEM, 0,
		     first.op, nonblock_flag(first.flags) |
			       (first.flags & SEM_UNDO ? IPCSCOPE_CALL_UNDO : 0));
	thread->call.peer |= first.num;
	thread->call.object |= (__u64)first.num << 32;
	thread->call.op = IPCSCOPE_OP_SEMAPHORE;
	thread->call.tail.sysv.depth = (__u32)ctx[2];
	call_opens(thread, IPCSCOPE_CALL_SYSV);
}

static __always_inline struct ipcscope_thread_state *calling_thread(void)
{
	struct ipcscope_thread_state *thread = thread_find(current_task());

	return thread && thread->account.call == IPCSCOPE_CALL_SYSV ? thread :
								      NULL;
}

/* 0: the set has no such semaphore. */
static __always_inline int value_of(struct sem_array *array, __u32 number)
{
	int value = 0;
	void *at = (void *)array + bpf_core_field_offset(struct sem_array, sems) +
		   number * bpf_core_type_size(struct sem) +
		   bpf_core_field_offset(struct sem, semval);

	if (number < (__u32)BPF_CORE_READ(array, sem_nsems))
		bpf_probe_read_kernel(&value, sizeof(value), at);
	return value;
}

/* (ids, id), and returns the object, or an error as a pointer: read by address. */
static __always_inline void object_obtained(__u64 *ctx)
{
	struct ipcscope_thread_state *thread = calling_thread();
	struct kern_ipc_perm *object = (void *)ctx[2];
	struct ipcscope_open_call *call;

	if (!thread || !(thread->call.peer & NOT_OBTAINED) ||
	    (__s64)object >= -4095)
		return;
	call = &thread->call;
	call->tail.sysv.key = BPF_CORE_READ(object, key);
	if (call->type == IPCSCOPE_OBJECT_SYSV_SEM)
		call->tail.sysv.semaphore_value =
			value_of((void *)object, call->peer & 0xffff);
	else
		call->tail.sysv.depth =
			BPF_CORE_READ((struct msg_queue *)object, q_qnum);
	call->peer = 0;
}

static __always_inline void sysv_exits(__u8 op, int ret)
{
	struct ipcscope_thread_state *thread = calling_thread();

	if (thread)
		thread->call.peer = 0;
	call_exits(IPCSCOPE_CALL_SYSV, op, ret);
}

#define SYSV_HOOKS(name, op, arguments)					\
	HOOK("fentry", name##_enter) { name##_enters(ctx, FIRST_TWIN); } \
	HOOK("fentry", name##_enter_twin) { name##_enters(ctx, SECOND_TWIN); } \
	HOOK("fexit", name##_exit) { sysv_exits(op, (int)ctx[arguments]); } \
	HOOK("fexit", name##_exit_twin) { sysv_exits(op, (int)ctx[arguments]); }

SYSV_HOOKS(msgsnd, IPCSCOPE_OP_SEND, 5)
SYSV_HOOKS(msgrcv, IPCSCOPE_OP_RECEIVE, 6)
SYSV_HOOKS(semop, IPCSCOPE_OP_SEMAPHORE, 4)

/* To run twice, by both twins, does no harm. */
HOOK("fexit", sysv_obtained)
{
	object_obtained(ctx);
}

HOOK("fexit", sysv_obtained_twin)
{
	object_obtained(ctx);
}
