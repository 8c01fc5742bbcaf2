// SPDX-License-Identifier: GPL-2.0-only
/*
 * A terminal hangs up: which one.  The function takes it from each process of the
 * session, and then sends SIGHUP, in the same thread.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>

#include "hooks.h"
#include "terminal.h"

static void hangs_up(struct scope_trace *trace, struct tty_struct *tty)
{
	if (trace)
		WRITE_ONCE(trace->hangup,
			   (u64)current->pid << 32 | tty_devnum(tty));
}

SCOPE_WATCHER(scope_terminal_hangup)
{
	hangs_up(SCOPE_WATCHED(), (void *)SCOPE_ARGUMENT(regs, 0));
	SCOPE_WATCH_END;
}

u32 scope_terminal_of(const struct scope_trace *trace,
		      const struct task_struct *target)
{
	struct tty_struct *tty = target->signal->tty;
	u64 last = READ_ONCE(trace->hangup);

	if (tty)
		return tty_devnum(tty);
	return last >> 32 == current->pid ? (u32)last : 0;
}
