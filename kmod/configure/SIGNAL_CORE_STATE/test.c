// SPDX-License-Identifier: GPL-2.0-only
/* Does a process's signal_struct say that it dumps core? */
#include <linux/sched/signal.h>

bool test(const struct signal_struct *signal);
bool test(const struct signal_struct *signal)
{
	return signal->core_state;
}
