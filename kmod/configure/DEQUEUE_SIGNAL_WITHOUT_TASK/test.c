// SPDX-License-Identifier: GPL-2.0-only
/* Is it dequeue_signal(mask, info, type)? */
#include <linux/sched/signal.h>

int test(sigset_t *mask, kernel_siginfo_t *info, enum pid_type *type);
int test(sigset_t *mask, kernel_siginfo_t *info, enum pid_type *type)
{
	return dequeue_signal(mask, info, type);
}
