// SPDX-License-Identifier: GPL-2.0-only
/* Does a fprobe's handler get pt_regs, not ftrace_regs? */
#include <linux/fprobe.h>

void test(struct fprobe *probe, fprobe_exit_cb handler, struct pt_regs *regs);
void test(struct fprobe *probe, fprobe_exit_cb handler, struct pt_regs *regs)
{
	handler(probe, 0, 0, regs, NULL);
}
