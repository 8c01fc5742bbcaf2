// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "state.h"

/* policy.h has the kernel's numbers; here the kernel's own are at hand. */
#define SAME(ours, kernels)	static_assert((ours) == (kernels))

SAME(IPCSCOPE_SIGKILL, SIGKILL);
SAME(IPCSCOPE_SIGCHLD, SIGCHLD);
SAME(IPCSCOPE_SIGCONT, SIGCONT);
SAME(IPCSCOPE_STOP_SIGNALS,
     IPCSCOPE_SIG_BIT(SIGSTOP) | IPCSCOPE_SIG_BIT(SIGTSTP) |
     IPCSCOPE_SIG_BIT(SIGTTIN) | IPCSCOPE_SIG_BIT(SIGTTOU));
SAME(IPCSCOPE_DEFAULT_IGNORED,
     IPCSCOPE_SIG_BIT(SIGCHLD) | IPCSCOPE_SIG_BIT(SIGCONT) |
     IPCSCOPE_SIG_BIT(SIGURG) | IPCSCOPE_SIG_BIT(SIGWINCH));
SAME(IPCSCOPE_CORE_SIGNALS,
     IPCSCOPE_SIG_BIT(SIGQUIT) | IPCSCOPE_SIG_BIT(SIGILL) |
     IPCSCOPE_SIG_BIT(SIGTRAP) | IPCSCOPE_SIG_BIT(SIGABRT) |
     IPCSCOPE_SIG_BIT(SIGBUS) | IPCSCOPE_SIG_BIT(SIGFPE) |
     IPCSCOPE_SIG_BIT(SIGSEGV) | IPCSCOPE_SIG_BIT(SIGXCPU) |
     IPCSCOPE_SIG_BIT(SIGXFSZ) | IPCSCOPE_SIG_BIT(SIGSYS));
SAME(IPCSCOPE_SI_USER, SI_USER);
SAME(IPCSCOPE_SI_KERNEL, SI_KERNEL);
SAME(IPCSCOPE_SI_QUEUE, SI_QUEUE);
SAME(IPCSCOPE_SI_TIMER, SI_TIMER);
SAME(IPCSCOPE_TASK_INTERRUPTIBLE, TASK_INTERRUPTIBLE);
SAME(IPCSCOPE_TASK_UNINTERRUPTIBLE, TASK_UNINTERRUPTIBLE);
SAME(IPCSCOPE_TASK_STOPPED, __TASK_STOPPED);
SAME(IPCSCOPE_TASK_TRACED, __TASK_TRACED);
SAME(IPCSCOPE_EXIT_DEAD, EXIT_DEAD);
SAME(IPCSCOPE_EXIT_ZOMBIE, EXIT_ZOMBIE);
SAME(IPCSCOPE_TASK_DEAD, TASK_DEAD);
SAME(IPCSCOPE_TASK_WAKEKILL, TASK_WAKEKILL);
SAME(IPCSCOPE_TASK_WAKING, TASK_WAKING);
SAME(IPCSCOPE_TASK_NOLOAD, TASK_NOLOAD);
#ifdef TASK_FROZEN
SAME(IPCSCOPE_TASK_FROZEN, TASK_FROZEN);
#endif
#ifdef PF_FROZEN
SAME(IPCSCOPE_PF_FROZEN, PF_FROZEN);
#endif
SAME(IPCSCOPE_JOBCTL_TRAP_FREEZE, JOBCTL_TRAP_FREEZE);
SAME(IPCSCOPE_SIGNAL_GROUP_EXIT, SIGNAL_GROUP_EXIT);
#ifdef SIGNAL_GROUP_COREDUMP
SAME(IPCSCOPE_SIGNAL_GROUP_COREDUMP, SIGNAL_GROUP_COREDUMP);
#endif
SAME(IPCSCOPE_SIGNAL_UNKILLABLE, SIGNAL_UNKILLABLE);

/* A compat task's numbers are those of another table. */
static bool is_native(struct task_struct *task)
{
	return syscall_get_arch(task) == syscall_get_arch(&init_task);
}

u16 scope_syscall_of(struct task_struct *task)
{
	int number;

	if (READ_ONCE(task->flags) & (PF_KTHREAD | PF_IO_WORKER) ||
	    !is_native(task))
		return IPCSCOPE_SYSCALL_NONE;
	number = syscall_get_nr(task, task_pt_regs(task));
	if (number < 0 || number >= IPCSCOPE_SYSCALL_NONE)
		return IPCSCOPE_SYSCALL_NONE;
	return number;
}

static bool polls(u16 syscall)
{
	switch (syscall) {
#ifdef __NR_poll
	case __NR_poll:
#endif
#ifdef __NR_select
	case __NR_select:
#endif
#ifdef __NR_epoll_wait
	case __NR_epoll_wait:
#endif
#ifdef __NR_epoll_pwait2
	case __NR_epoll_pwait2:
#endif
	case __NR_ppoll:
	case __NR_pselect6:
	case __NR_epoll_pwait:
		return true;
	default:
		return false;
	}
}

u8 scope_state_of(const struct task_struct *task, unsigned int bits,
		  u16 syscall)
{
	u8 state = ipcscope_state_of_bits(bits);

	if (scope_is_frozen(task))
		return IPCSCOPE_STATE_FROZEN;
	if (state != IPCSCOPE_STATE_INTERRUPTIBLE)
		return state;
	if (READ_ONCE(task->jobctl) & JOBCTL_TRAP_FREEZE)
		return IPCSCOPE_STATE_FROZEN;
	return polls(syscall) ? IPCSCOPE_STATE_POLLING : state;
}
