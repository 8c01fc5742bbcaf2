// SPDX-License-Identifier: GPL-2.0-only
/*
 * A terminal hangs up: which one.  The function takes it from each process of the
 * session, and then sends SIGHUP, in the same thread.
 */
#include "emit.bpf.h"
#include "terminal.bpf.h"
#include <bpf/bpf_tracing.h>

HOOK("fentry", terminal_hangup)
{
	struct tty_struct *tty = (struct tty_struct *)ctx[0];
	__u64 tid = (__u32)bpf_get_current_pid_tgid();

	hangup = tid << 32 | device_of_terminal(tty);
}
