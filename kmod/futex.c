// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes (ipcscope/futex.h): every futex() of a thread without FUTEX_PRIVATE_FLAG and,
 * of IPCSCOPE_FAMILY_FUTEX_ALL, with it.  A wait with a timeout that a signal breaks off
 * goes on in futex_wait_restart().
 */
#include <linux/mutex.h>	/* which futex.h needs */
#include <linux/futex.h>
#include <linux/restart_block.h>
#include <linux/uaccess.h>

#include <ipcscope/futex.h>

#include "call.h"
#include "stat.h"

static struct ipcscope_open_call *open_call(struct ipcscope_call *call)
{
	return (struct ipcscope_open_call *)&call->since_ns;
}

static u32 word_at(u64 address)
{
	u32 word = 0;
	bool unread;

	pagefault_disable();
	unread = __copy_from_user_inatomic(&word,
					   (const void __user *)address,
					   sizeof(word));
	pagefault_enable();
	return unread ? 0 : word;
}

/* A private lock's word says who owns it, as that of a shared one: note_key(). */
static void open_futex(struct ipcscope_call *call,
		       const struct ipcscope_futex_arguments *arguments)
{
	ipcscope_futex_begins(open_call(call), arguments,
			      task_tgid_nr(current));
	if (call->type != IPCSCOPE_OBJECT_NONE &&
	    ipcscope_futex_locks(arguments->operation))
		call->tail.futex.expected = word_at(arguments->address);
}

/* (registers): (address, operation, value, timeout or value 2, address 2, value 3) */
static const struct pt_regs *arguments_of(struct pt_regs *regs)
{
	return (void *)regs_get_kernel_argument(regs, 0);
}

static void look_at_futex(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct pt_regs *user = arguments_of(regs);
	const struct ipcscope_futex_arguments arguments = {
		.address = user->di,
		.operation = user->si,
		.value = user->dx,
		.value3 = user->r9,
	};

	open_futex(call, &arguments);
}

/* (block) */
static const struct restart_block *block_of(struct pt_regs *regs)
{
	return (void *)regs_get_kernel_argument(regs, 0);
}

static u32 restart_flag(const struct restart_block *block)
{
	return block->futex.flags & IPCSCOPE_FUTEX_SHARED ? 0 :
							    FUTEX_PRIVATE_FLAG;
}

static void look_at_restart(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct restart_block *block = block_of(regs);
	const struct ipcscope_futex_arguments arguments = {
		.address = (unsigned long)block->futex.uaddr,
		.operation = FUTEX_WAIT | restart_flag(block),
		.value = block->futex.val,
	};

	open_futex(call, &arguments);
}

/*
 * A trace of sums has states of threads for this alone, while they are in a call:
 * where the key is found.
 */
static int begins(struct kretprobe_instance *ri, struct pt_regs *regs, u8 op,
		  void (*look)(struct ipcscope_call *call,
			       struct pt_regs *regs))
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread;
	unsigned long flags;

	if (scope_call_enter(ri, regs, IPCSCOPE_CALL_FUTEX, op, look))
		return 1;
	if (!trace->stat)
		return 0;
	local_irq_save(flags);
	thread = scope_call_state(trace, IPCSCOPE_CALL_FUTEX,
				  ktime_get_mono_fast_ns());
	if (thread) {
		look(&thread->call, regs);
		thread->account.call = IPCSCOPE_CALL_FUTEX;
	}
	local_irq_restore(flags);
	return !thread;
}

static bool traces_private(const struct scope_trace *trace)
{
	return trace && trace->config.families & IPCSCOPE_FAMILY_FUTEX_ALL;
}

static bool is_wanted(struct kretprobe_instance *ri, u32 operation)
{
	return !(operation & FUTEX_PRIVATE_FLAG) ||
	       traces_private(scope_trace_of(ri));
}

int scope_futex_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	u32 operation = arguments_of(regs)->si;

	if (!is_wanted(ri, operation))
		return 1;
	return begins(ri, regs, ipcscope_futex_op(operation), look_at_futex);
}

int scope_futex_restart_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	if (!is_wanted(ri, restart_flag(block_of(regs))))
		return 1;
	return begins(ri, regs, IPCSCOPE_OP_WAIT, look_at_restart);
}

/* Of a sum: what was found of its object, if any.  False: it is no call. */
static bool take_object(struct scope_trace *trace, struct scope_call *call)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, current);
	struct scope_thread *thread;
	unsigned long flags;

	call->type = IPCSCOPE_OBJECT_NONE;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	thread = scope_thread_find(bucket, current);
	if (thread) {
		call->object = thread->call.object;
		call->dev = thread->call.dev;
		call->type = thread->call.type;
		call->requested = thread->call.requested;
		scope_thread_remove(&trace->threads, thread);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return call->type != IPCSCOPE_OBJECT_NONE;
}

static void returns(struct scope_trace *trace, s32 ret)
{
	struct scope_thread *thread;
	unsigned long flags;

	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_FUTEX);
	if (thread && !ipcscope_futex_returns(open_call(&thread->call), ret))
		ipcscope_account_cancel(&thread->account);
	local_irq_restore(flags);
}

int scope_futex_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);

	if (!trace)
		return 0;
	if (!trace->stat)
		returns(trace, regs_return_value(regs));
	else if (!take_object(trace, (void *)ri->data))
		return 0;
	scope_call_returns(trace, (void *)ri->data, regs_return_value(regs));
	return 0;
}

/* (address, flags, key, access) */
int scope_futex_key_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	const union futex_key **key = (void *)ri->data;
	struct scope_thread *thread;
	unsigned long flags;

	if (!(regs_get_kernel_argument(regs, 1) & IPCSCOPE_FUTEX_SHARED) ||
	    !trace || !scope_may_be_armed(trace))
		return 1;
	*key = (void *)regs_get_kernel_argument(regs, 2);
	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_FUTEX);
	local_irq_restore(flags);
	return !thread || thread->call.type != IPCSCOPE_OBJECT_NONE;
}

static void note_key(struct scope_thread *thread, const union futex_key *key,
		     bool private)
{
	struct ipcscope_tail_futex *tail = &thread->call.tail.futex;

	if (!ipcscope_futex_found(open_call(&thread->call), key->shared.i_seq,
				  key->shared.pgoff, key->shared.offset,
				  private))
		ipcscope_account_cancel(&thread->account);
	else if (ipcscope_futex_locks(tail->operation))
		tail->expected = word_at(thread->call.peer);
}

/* The key is on the stack of its caller, which is the thread itself. */
int scope_futex_key_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const union futex_key *key = *(const union futex_key **)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || (int)regs_return_value(regs))
		return 0;
	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_FUTEX);
	if (thread)
		note_key(thread, key, traces_private(trace));
	local_irq_restore(flags);
	return 0;
}
