// SPDX-License-Identifier: GPL-2.0-only
/* Must compile: if it does not, no other answer means anything. */
#include <linux/module.h>
#include <linux/sched.h>

pid_t test(struct task_struct *task);
pid_t test(struct task_struct *task)
{
	return task->pid;
}
