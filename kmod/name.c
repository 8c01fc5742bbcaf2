// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "emit.h"
#include "name.h"
#include "trace.h"

/* Under RCU; a task that has been released has neither pid nor parent. */
static void fill_pids(struct ipcscope_thread *record, struct task_struct *task)
{
	struct pid *pid = READ_ONCE(task->thread_pid);

	record->ns_pid = pid ? pid->numbers[pid->level].nr : task->pid;
	if (pid)
		record->ppid = rcu_dereference(task->real_parent)->tgid;
}

static void fill_thread(struct ipcscope_thread *record,
			struct task_struct *task, u8 reason)
{
	record->start_ns = task->start_time;
	record->reason = reason;
	rcu_read_lock();
	fill_pids(record, task);
	record->uid = __kuid_val(__task_cred(task)->uid);
	rcu_read_unlock();
	record->cgroup = scope_cgroup_of(task);
	record->blocked = task->blocked.sig[0];
	strscpy_pad((char *)record->comm, task->comm, sizeof(record->comm));
}

void scope_name_emit(struct scope_trace *trace, struct task_struct *task,
		     struct scope_thread *thread, u8 reason, u64 now)
{
	struct ipcscope_thread record = {};

	fill_thread(&record, task, reason);
	if (!SCOPE_EMIT(trace, task, &record, IPCSCOPE_THREAD, now) || !thread)
		return;
	memcpy(thread->comm, task->comm, sizeof(thread->comm));
	thread->named = true;
}

void scope_name_anew(struct scope_trace *trace, struct task_struct *task,
		     struct scope_thread *thread, u64 now)
{
	u8 reason = thread && thread->named ? IPCSCOPE_THREAD_RENAME :
					      IPCSCOPE_THREAD_SEEN;

	scope_name_emit(trace, task, thread, reason, now);
}

u64 scope_name_task(struct scope_trace *trace, struct task_struct *task)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	now = ktime_get_mono_fast_ns();
	scope_name(trace, task, scope_thread_find(bucket, task), now);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return now;
}
