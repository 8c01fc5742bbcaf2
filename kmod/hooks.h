/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which hook goes where, and the handlers' declarations.  Tracepoints are
 * found by name, since none of those that we need is exported to modules; the
 * handlers' types are checked against the kernel's own by the compiler.
 */
#ifndef IPCSCOPE_HOOKS_H
#define IPCSCOPE_HOOKS_H

#include <linux/kprobes.h>

#include <ipcscope/transport.h>

#include "compat.h"
#include "trace.h"

struct kernel_siginfo;
struct k_sigaction;
struct linux_binprm;

#define SCOPE_HOOKS	(SCOPE_TRACEPOINTS + SCOPE_FUNCTIONS)

/* All that the families want, or nothing: -errno of the hook that failed. */
int scope_hooks_attach(struct scope_trace *trace);

/* On return no handler runs any more. */
void scope_hooks_detach(struct scope_trace *trace);

void scope_hook_describe(struct scope_trace *trace, u32 index,
			 struct ipcscope_hook *hook);

/* As the trace is armed, and as it ends: books what the kernel has skipped. */
void scope_hooks_note_missed(struct scope_trace *trace);
void scope_hooks_count_missed(struct scope_trace *trace);

/* The trace that a probe belongs to; NULL: it is being taken away. */
static inline struct scope_trace *
scope_trace_of(struct kretprobe_instance *instance)
{
	struct kretprobe *probe = scope_kretprobe_of(instance);

	if (!probe)
		return NULL;	/* being taken away */
	return READ_ONCE(container_of(probe, struct scope_probe,
				      kretprobe)->trace);
}

#ifdef SCOPE_WATCHES_BY_FTRACE
#define SCOPE_WATCHED() \
	READ_ONCE(container_of(ops, struct scope_probe, ops)->trace)
#define SCOPE_WATCH_END
#else
#define SCOPE_WATCHED()							\
	READ_ONCE(container_of(kprobe, struct scope_probe,		\
			       kretprobe.kp)->trace)
#define SCOPE_WATCH_END	return 0
#endif

/* signal.c */
int scope_sends_init(struct scope_trace *trace);
SCOPE_WATCHER(scope_send_enter);
void scope_signal_generate(void *data, int sig, struct kernel_siginfo *info,
			   struct task_struct *target, int group, int result);

/* oom.c */
SCOPE_WATCHER(scope_oom_kill);

/* terminal.c */
SCOPE_WATCHER(scope_terminal_hangup);

/* take.c */
/* What the return needs of a call's arguments. */
struct scope_call_dequeue {
	const struct kernel_siginfo *info;
	struct scope_thread *thread;	/* its state, or NULL */
	u8 how;				/* IPCSCOPE_TAKE_ */
};

struct scope_call_sigaction {
	u64 enter_ns;
	u8 sig;
	u8 disposition;
};

SCOPE_WATCHER(scope_get_signal);
int scope_dequeue_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_dequeue_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_sigaction_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_sigaction_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
void scope_signal_deliver(void *data, int sig, struct kernel_siginfo *info,
			  struct k_sigaction *action);

/* call.c: of every call on an IPC object */
struct scope_call {
	union {
		struct scope_thread *thread;	/* its state; of a record */
		u64 enter_ns;			/* of a sum */
	};
	u64 object;
	u32 dev;
	u32 requested;			/* of a kind whose SEND returns 0 */
	u8 type;
	u8 op;
	u16 kind;
	u8 flags;
};

int scope_call_exit(struct kretprobe_instance *ri, struct pt_regs *regs);

/* pipe.c */
int scope_read_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_write_enter(struct kretprobe_instance *ri, struct pt_regs *regs);

/* splice.c */
struct scope_splice_call {
	struct scope_call ends[2];	/* of a record only the first's thread */
	u8 sums;			/* of a sum: how many ends are pipes */
};

int scope_splice_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_tee_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_sendfile_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_vmsplice_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_fifo_open_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_pipe_fcntl_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_splice_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_wait_readable_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs);
int scope_wait_writable_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs);
int scope_wait_exit(struct kretprobe_instance *ri, struct pt_regs *regs);

/* eventfd.c */
int scope_eventfd_read_enter(struct kretprobe_instance *ri,
			     struct pt_regs *regs);
int scope_eventfd_write_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs);

/* futex.c */
int scope_futex_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_futex_restart_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs);
int scope_futex_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_futex_key_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_futex_key_exit(struct kretprobe_instance *ri, struct pt_regs *regs);

/* handler.c */
SCOPE_WATCHER(scope_handler_set_up);
SCOPE_WATCHER(scope_handler_returns);
SCOPE_WATCHER(scope_mask_changes);

/* mqueue.c */
int scope_mq_send_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_mq_receive_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_mq_exit(struct kretprobe_instance *ri, struct pt_regs *regs);

/* sysv.c */
int scope_msgsnd_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_msgrcv_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_semop_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_sysv_exit(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_sysv_obtain_enter(struct kretprobe_instance *ri,
			    struct pt_regs *regs);
int scope_sysv_obtain_exit(struct kretprobe_instance *ri,
			   struct pt_regs *regs);

/* unix.c */
struct scope_connection {
	struct scope_call call;
	const struct socket *socket;	/* that is connected as it returns */
};

int scope_unix_send_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_unix_sendpage_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs);
int scope_unix_stream_receive_enter(struct kretprobe_instance *ri,
				    struct pt_regs *regs);
int scope_unix_dgram_receive_enter(struct kretprobe_instance *ri,
				   struct pt_regs *regs);
int scope_unix_connect_enter(struct kretprobe_instance *ri,
			     struct pt_regs *regs);
int scope_unix_accept_enter(struct kretprobe_instance *ri,
			    struct pt_regs *regs);
int scope_unix_connection_exit(struct kretprobe_instance *ri,
			       struct pt_regs *regs);
SCOPE_WATCHER(scope_unix_fds_received);
int scope_unix_fd_enter(struct kretprobe_instance *ri, struct pt_regs *regs);
int scope_unix_fd_exit(struct kretprobe_instance *ri, struct pt_regs *regs);

/* task.c */
SCOPE_SCHED_SWITCH(scope_sched_switch);
void scope_sched_waking(void *data, struct task_struct *task);
void scope_sched_wakeup_new(void *data, struct task_struct *task);
void scope_process_exec(void *data, struct task_struct *task, pid_t old_pid,
			struct linux_binprm *bprm);
void scope_process_free(void *data, struct task_struct *task);

#endif /* IPCSCOPE_HOOKS_H */
