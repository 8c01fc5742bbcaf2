// SPDX-License-Identifier: GPL-2.0-only
/* Is a task's state in task->__state? */
#include <linux/sched.h>

unsigned int test(struct task_struct *task);
unsigned int test(struct task_struct *task)
{
	return READ_ONCE(task->__state);
}
