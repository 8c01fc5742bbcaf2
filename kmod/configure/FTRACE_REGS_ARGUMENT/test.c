// SPDX-License-Identifier: GPL-2.0-only
/* Are a function's arguments in ftrace_regs without the other registers? */
#include <linux/ftrace.h>

#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "only with all registers"
#endif

unsigned long test(struct ftrace_regs *regs);
unsigned long test(struct ftrace_regs *regs)
{
	return ftrace_regs_get_argument(regs, 2);
}
