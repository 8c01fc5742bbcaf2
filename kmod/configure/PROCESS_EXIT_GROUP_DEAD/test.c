// SPDX-License-Identifier: GPL-2.0-only
/* Does sched_process_exit tell group_dead? */
#include <trace/events/sched.h>

static void probe(void *data, struct task_struct *task, bool group_dead)
{
}

void test(void);
void test(void)
{
	check_trace_callback_type_sched_process_exit(probe);
}
