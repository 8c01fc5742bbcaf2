// SPDX-License-Identifier: GPL-2.0-only
/* Does sched_switch give prev_state? */
#include <trace/events/sched.h>

static void probe(void *data, bool preempt, struct task_struct *prev,
		  struct task_struct *next, unsigned int prev_state)
{
}

void test(void);
void test(void)
{
	check_trace_callback_type_sched_switch(probe);
}
