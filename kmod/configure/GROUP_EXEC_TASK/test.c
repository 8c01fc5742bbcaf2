// SPDX-License-Identifier: GPL-2.0-only
/* Is the thread that waits for the others' end in execve() group_exec_task? */
#include <linux/sched/signal.h>

bool test(const struct signal_struct *signal);
bool test(const struct signal_struct *signal)
{
	return signal->group_exec_task;
}
