/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals taken: what the scheduler's hooks need of it. */
#ifndef IPCSCOPE_TAKE_H
#define IPCSCOPE_TAKE_H

#include <linux/types.h>

struct ipcscope_signal_take;
struct kernel_siginfo;
struct scope_thread;
struct scope_trace;

/* The thread ends, and with it the taking that it has open. */
void scope_take_end(struct scope_trace *trace, struct scope_thread *thread,
		    u64 now);

/* Of sums: every taking that is open as the trace ends. */
void scope_take_end_all(struct scope_trace *trace, u64 now);

/* SEND_SIG_NOINFO (0) and SEND_SIG_PRIV (1) are no pointers. */
bool scope_has_info(const struct kernel_siginfo *info);

/* Of siginfo: who sent it, as its receiver sees it, and its value; or 0. */
u32 scope_info_pid(int sig, const struct kernel_siginfo *info);
u64 scope_info_value(const struct kernel_siginfo *info);

#endif /* IPCSCOPE_TAKE_H */
