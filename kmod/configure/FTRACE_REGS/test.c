// SPDX-License-Identifier: GPL-2.0-only
/* Is a function's watcher given a struct ftrace_regs? */
#include <linux/ftrace.h>

void test(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
	  struct ftrace_regs *regs);

ftrace_func_t watcher(void);
ftrace_func_t watcher(void)
{
	return test;
}
