// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include <trace/events/sched.h>
#include <trace/events/signal.h>

#include "emit.h"
#include "hooks.h"

#define SIGNALS	IPCSCOPE_FAMILY_SIGNALS
#define PIPES	IPCSCOPE_FAMILY_PIPES
#define KILLS	IPCSCOPE_FAMILY_KILLS
#define EVENTFD	IPCSCOPE_FAMILY_EVENTFD
#define FUTEX	(IPCSCOPE_FAMILY_FUTEX | IPCSCOPE_FAMILY_FUTEX_ALL)
#define HANDLERS	IPCSCOPE_FAMILY_HANDLERS
#define MQUEUE	IPCSCOPE_FAMILY_MQUEUE
#define SYSV	IPCSCOPE_FAMILY_SYSV
#define UNIX	IPCSCOPE_FAMILY_UNIX

#define ALL	IPCSCOPE_FAMILY_HOOKED

struct tracepoint_hook {
	const char *name;
	const char *target;
	void *handler;
	u32 families;
	bool records_only;		/* a trace of sums needs it not */
};

/* A family is useless without any of its tracepoints. */
static const struct tracepoint_hook tracepoint_hooks[SCOPE_TRACEPOINTS] = {
	{ "task freed", "sched_process_free", scope_process_free, ALL },
	{ "thread created", "sched_wakeup_new", scope_sched_wakeup_new, ALL },
	{ "exec", "sched_process_exec", scope_process_exec, ALL, true },
	{ "context switch", "sched_switch", scope_sched_switch, ALL,
	  true },
	{ "wake-up", "sched_waking", scope_sched_waking, ALL, true },
	{ "signal delivered", "signal_deliver", scope_signal_deliver,
	  SIGNALS },
	{ "signal generated", "signal_generate", scope_signal_generate,
	  SIGNALS | KILLS },
};

/* Never called: the compiler compares our handlers with the kernel's types. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_sched_process_free(scope_process_free);
	check_trace_callback_type_sched_wakeup_new(scope_sched_wakeup_new);
	check_trace_callback_type_sched_process_exec(scope_process_exec);
	check_trace_callback_type_sched_switch(scope_sched_switch);
	check_trace_callback_type_sched_waking(scope_sched_waking);
	check_trace_callback_type_signal_deliver(scope_signal_deliver);
	check_trace_callback_type_signal_generate(scope_signal_generate);
}

/* Calls of a function that may sleep, and are under way at once. */
#define CALLS_MAX	4096
/* Of one that does not, but can be preempted. */
#define CALLS_SHORT	64

struct function_hook {
	const char *name;
	const char *targets[3];		/* candidates, in this order */
	SCOPE_WATCHER((*watch));	/* its entry alone; NULL: a kretprobe */
	kretprobe_handler_t enter;
	kretprobe_handler_t exit;
	size_t data;
	u32 families;
	u16 kind;			/* that a skipped run loses, 0: none */
	bool required;
	bool sleeps;
	bool records_only;
};

#define SPLICE_HOOK(name_, target, enter_) {				\
	.name = name_, .targets = { target },				\
	.enter = enter_, .exit = scope_splice_exit,			\
	.data = sizeof(struct scope_splice_call), .families = PIPES,	\
	.kind = IPCSCOPE_CALL_SPLICE, .sleeps = true			\
}

#define SYSV_HOOK(name_, target, enter_) {				\
	.name = name_, .targets = { target },				\
	.enter = enter_, .exit = scope_sysv_exit,			\
	.data = sizeof(struct scope_call), .families = SYSV,		\
	.kind = IPCSCOPE_CALL_SYSV, .sleeps = true			\
}

static const struct function_hook function_hooks[SCOPE_FUNCTIONS] = {
	/*
	 * Renamed in 6.0 by 157cc18122b4.  Where its entry is skipped,
	 * signal_generate makes the record by itself.
	 */
	{ .name = "signal send",
	  .targets = { "__send_signal_locked", "__send_signal" },
	  .watch = scope_send_enter, .families = SIGNALS | KILLS,
	  .required = true, .records_only = true },
	{ .name = "OOM killer", .targets = { "oom_kill_process" },
	  .watch = scope_oom_kill, .families = SIGNALS | KILLS,
	  .records_only = true },
	{ .name = "terminal hangs up",
	  .targets = { "tty_signal_session_leader" },
	  .watch = scope_terminal_hangup, .families = SIGNALS | KILLS,
	  .records_only = true },
	{ .name = "signal dequeued", .targets = { "dequeue_signal" },
	  .enter = scope_dequeue_enter, .exit = scope_dequeue_exit,
	  .data = sizeof(struct scope_call_dequeue),
	  .families = SIGNALS, .kind = IPCSCOPE_SIGNAL_TAKE,
	  .required = true },
	/* A skipped run leaves the time of the run before. */
	{ .name = "get_signal", .targets = { "get_signal" },
	  .watch = scope_get_signal, .families = SIGNALS,
	  .records_only = true },
	{ .name = "sigaction", .targets = { "do_sigaction" },
	  .enter = scope_sigaction_enter, .exit = scope_sigaction_exit,
	  .data = sizeof(struct scope_call_sigaction),
	  .families = SIGNALS, .kind = IPCSCOPE_SIGNAL_TAKE },
	/*
	 * Since 6.15 a pipe's and a FIFO's functions are two, and fifo_pipe_*
	 * calls anon_pipe_*: hooking the latter counts each call once.
	 */
	{ .name = "pipe read", .targets = { "anon_pipe_read", "pipe_read" },
	  .enter = scope_read_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = PIPES,
	  .kind = IPCSCOPE_CALL_PIPE, .required = true, .sleeps = true },
	{ .name = "pipe write", .targets = { "anon_pipe_write", "pipe_write" },
	  .enter = scope_write_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = PIPES,
	  .kind = IPCSCOPE_CALL_PIPE, .required = true, .sleeps = true },
	SPLICE_HOOK("splice", "do_splice", scope_splice_enter),
	SPLICE_HOOK("tee", "do_tee", scope_tee_enter),
	SPLICE_HOOK("sendfile", "do_sendfile", scope_sendfile_enter),
	SPLICE_HOOK("vmsplice", "__x64_sys_vmsplice", scope_vmsplice_enter),
	SPLICE_HOOK("FIFO open", "fifo_open", scope_fifo_open_enter),
	SPLICE_HOOK("pipe resize", "pipe_fcntl", scope_pipe_fcntl_enter),
	{ .name = "splice waits for bytes", .targets = { "pipe_wait_readable" },
	  .enter = scope_wait_readable_enter, .exit = scope_wait_exit,
	  .families = PIPES, .sleeps = true, .records_only = true },
	{ .name = "splice waits for room", .targets = { "pipe_wait_writable" },
	  .enter = scope_wait_writable_enter, .exit = scope_wait_exit,
	  .families = PIPES, .sleeps = true, .records_only = true },
	{ .name = "eventfd read", .targets = { "eventfd_read" },
	  .enter = scope_eventfd_read_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = EVENTFD,
	  .kind = IPCSCOPE_CALL_EVENTFD, .sleeps = true },
	{ .name = "eventfd write", .targets = { "eventfd_write" },
	  .enter = scope_eventfd_write_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = EVENTFD,
	  .kind = IPCSCOPE_CALL_EVENTFD, .sleeps = true },
	{ .name = "futex", .targets = { "__x64_sys_futex" },
	  .enter = scope_futex_enter, .exit = scope_futex_exit,
	  .data = sizeof(struct scope_call), .families = FUTEX,
	  .kind = IPCSCOPE_CALL_FUTEX, .sleeps = true },
	{ .name = "futex restart", .targets = { "futex_wait_restart" },
	  .enter = scope_futex_restart_enter, .exit = scope_futex_exit,
	  .data = sizeof(struct scope_call), .families = FUTEX,
	  .kind = IPCSCOPE_CALL_FUTEX, .sleeps = true },
	{ .name = "futex's memory", .targets = { "get_futex_key" },
	  .enter = scope_futex_key_enter, .exit = scope_futex_key_exit,
	  .data = sizeof(void *), .families = FUTEX, .sleeps = true },
	{ .name = "mqueue send", .targets = { "do_mq_timedsend" },
	  .enter = scope_mq_send_enter, .exit = scope_mq_exit,
	  .data = sizeof(struct scope_call), .families = MQUEUE,
	  .kind = IPCSCOPE_CALL_MQUEUE, .sleeps = true },
	SYSV_HOOK("msgsnd", "do_msgsnd", scope_msgsnd_enter),
	SYSV_HOOK("msgrcv", "do_msgrcv", scope_msgrcv_enter),
	SYSV_HOOK("semop", "do_semtimedop", scope_semop_enter),
	{ .name = "SysV object", .targets = { "ipc_obtain_object_check" },
	  .enter = scope_sysv_obtain_enter, .exit = scope_sysv_obtain_exit,
	  .families = SYSV, .records_only = true },
	{ .name = "mqueue receive", .targets = { "do_mq_timedreceive" },
	  .enter = scope_mq_receive_enter, .exit = scope_mq_exit,
	  .data = sizeof(struct scope_call), .families = MQUEUE,
	  .kind = IPCSCOPE_CALL_MQUEUE, .sleeps = true },
	{ .name = "unix stream send", .targets = { "unix_stream_sendmsg" },
	  .enter = scope_unix_send_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	{ .name = "unix stream send", .targets = { "unix_stream_sendpage" },
	  .enter = scope_unix_sendpage_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	{ .name = "unix dgram send", .targets = { "unix_dgram_sendmsg" },
	  .enter = scope_unix_send_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	{ .name = "unix stream receive", .targets = { "unix_stream_read_generic" },
	  .enter = scope_unix_stream_receive_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	/* Since 5.15 the second calls the first, as a sockmap does. */
	{ .name = "unix dgram receive",
	  .targets = { "__unix_dgram_recvmsg", "unix_dgram_recvmsg" },
	  .enter = scope_unix_dgram_receive_enter, .exit = scope_call_exit,
	  .data = sizeof(struct scope_call), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	{ .name = "unix connect", .targets = { "unix_stream_connect" },
	  .enter = scope_unix_connect_enter, .exit = scope_unix_connection_exit,
	  .data = sizeof(struct scope_connection), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	{ .name = "unix accept", .targets = { "unix_accept" },
	  .enter = scope_unix_accept_enter, .exit = scope_unix_connection_exit,
	  .data = sizeof(struct scope_connection), .families = UNIX,
	  .kind = IPCSCOPE_CALL_UNIX, .sleeps = true },
	{ .name = "unix fds received", .targets = { "scm_detach_fds" },
	  .watch = scope_unix_fds_received, .families = UNIX,
	  .records_only = true },
	/* Where there is a scm_recv_one_fd(), it may not call the last. */
	{ .name = "unix fd received",
	  .targets = { "__receive_fd", "scm_recv_one_fd", "receive_fd" },
	  .enter = scope_unix_fd_enter, .exit = scope_unix_fd_exit,
	  .data = sizeof(struct file *), .families = UNIX,
	  .kind = IPCSCOPE_FD_RECEIVED, .records_only = true },
	{ .name = "handler set up", .targets = { "signal_setup_done" },
	  .watch = scope_handler_set_up, .families = HANDLERS,
	  .kind = IPCSCOPE_SIGNAL_HANDLER, .records_only = true },
	{ .name = "handler returns", .targets = { "restore_sigcontext" },
	  .watch = scope_handler_returns, .families = HANDLERS,
	  .records_only = true },
	{ .name = "mask of signals", .targets = { "__set_task_blocked" },
	  .watch = scope_mask_changes, .families = HANDLERS,
	  .kind = IPCSCOPE_SIGNAL_MASK, .records_only = true },
};

/*
 * A probe could not be disarmed.  The kernel has lost count of its probes then,
 * and new ones might be silent: none is attached until the next boot.
 */
static bool probe_left;

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct scope_trace *trace = data;
	int i;

	for (i = 0; i < SCOPE_TRACEPOINTS; i++)
		if (!strcmp(tracepoint->name, tracepoint_hooks[i].target))
			trace->tracepoints[i] = tracepoint;
}

/* The function that calls sched_switch's hooks where they are several. */
static unsigned long iterator_of(struct tracepoint *const *tracepoints)
{
	int i;

	for (i = 0; i < SCOPE_TRACEPOINTS; i++)
		if (tracepoint_hooks[i].handler == scope_sched_switch &&
		    tracepoints[i])
			return (unsigned long)tracepoints[i]->iterator;
	return 0;
}

static bool is_needed(const struct scope_trace *trace, u32 families,
		      bool records_only)
{
	return (families & trace->config.families) &&
	       !(records_only && trace->stat);
}

static int attach_tracepoints(struct scope_trace *trace)
{
	int i, error;

	for_each_kernel_tracepoint(find_tracepoint, trace);
	trace->stacks.iterator = iterator_of(trace->tracepoints);
	for (i = 0; i < SCOPE_TRACEPOINTS; i++) {
		if (!is_needed(trace, tracepoint_hooks[i].families,
			       tracepoint_hooks[i].records_only))
			continue;
		error = -ENOENT;
		if (trace->tracepoints[i])
			error = tracepoint_probe_register(trace->tracepoints[i],
							  tracepoint_hooks[i].handler,
							  trace);
		trace->tracepoint_error[i] = error;
		if (error)
			return error;
		trace->tracepoint_attached[i] = true;
	}
	return 0;
}

#ifdef SCOPE_WATCHES_BY_FTRACE
static const char watch_mechanism[] = "ftrace";

static int watch_function(struct scope_probe *probe,
			  const struct function_hook *hook, const char *target)
{
	char name[KSYM_NAME_LEN];
	int error;

	strscpy(name, target, sizeof(name));
	probe->ops.func = hook->watch;
	probe->ops.flags = SCOPE_WATCH_FLAGS;
	error = ftrace_set_filter(&probe->ops, name, strlen(name), 1);
	if (error)
		return error == -EINVAL ? -ENOENT : error;
	error = register_ftrace_function(&probe->ops);
	if (error)
		ftrace_set_filter(&probe->ops, NULL, 0, 1);	/* frees it */
	return error;
}

static int unwatch_function(struct scope_probe *probe)
{
	int error = unregister_ftrace_function(&probe->ops);

	if (!error)
		ftrace_set_filter(&probe->ops, NULL, 0, 1);	/* frees it */
	return error;
}
#else
static const char watch_mechanism[] = "kprobe";

static int watch_function(struct scope_probe *probe,
			  const struct function_hook *hook, const char *target)
{
	probe->kretprobe.kp.pre_handler = hook->watch;
	return register_kprobe(&probe->kretprobe.kp);
}

static int unwatch_function(struct scope_probe *probe)
{
	int error = disable_kprobe(&probe->kretprobe.kp);

	if (!error)
		unregister_kprobe(&probe->kretprobe.kp);
	return error;
}
#endif

static int try_function(struct scope_trace *trace, struct scope_probe *probe,
			const struct function_hook *hook, const char *target)
{
	struct kretprobe *kretprobe = &probe->kretprobe;

	memset(kretprobe, 0, sizeof(*kretprobe));
	kretprobe->kp.symbol_name = target;
	if (hook->watch)
		return watch_function(probe, hook, target);
	kretprobe->entry_handler = hook->enter;
	kretprobe->handler = hook->exit;
	kretprobe->data_size = hook->data;
	if (hook->sleeps)
		kretprobe->maxactive = min_t(u32, trace->config.max_threads,
					     CALLS_MAX);
	else
		kretprobe->maxactive = max_t(u32, 2 * trace->cpus,
					     CALLS_SHORT);
	return register_kretprobe(kretprobe);
}

static int attach_function(struct scope_trace *trace, int i)
{
	const char *const *target = function_hooks[i].targets;
	struct scope_probe *probe;
	int error = -ENOENT;

	if (probe_left)
		return -ENOTRECOVERABLE;
	probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	if (!probe)
		return -ENOMEM;
	probe->trace = trace;
	for (; *target && error == -ENOENT; target++) {
		trace->function_target[i] = *target;
		error = try_function(trace, probe, &function_hooks[i],
				     *target);
	}
	if (error)
		kfree(probe);
	else
		trace->probes[i] = probe;
	return error;
}

static int attach_functions(struct scope_trace *trace)
{
	int i, error;

	for (i = 0; i < SCOPE_FUNCTIONS; i++) {
		if (!is_needed(trace, function_hooks[i].families,
			       function_hooks[i].records_only))
			continue;
		error = attach_function(trace, i);
		trace->function_error[i] = error;
		if (error && function_hooks[i].required)
			return error;
	}
	return 0;
}

static void detach_tracepoints(struct scope_trace *trace)
{
	int i;

	for (i = 0; i < SCOPE_TRACEPOINTS; i++) {
		if (!trace->tracepoint_attached[i])
			continue;
		tracepoint_probe_unregister(trace->tracepoints[i],
					    tracepoint_hooks[i].handler,
					    trace);
		trace->tracepoint_attached[i] = false;
	}
	tracepoint_synchronize_unregister();
}

/* What the kernel has skipped: no instance free, or another probe running. */
void scope_hooks_note_missed(struct scope_trace *trace)
{
	struct scope_probe *probe;
	int i;

	for (i = 0; i < SCOPE_FUNCTIONS; i++) {
		probe = trace->probes[i];
		if (!probe)
			continue;
		probe->missed[0] = probe->kretprobe.nmissed;
		probe->missed[1] = probe->kretprobe.kp.nmissed;
	}
}

void scope_hooks_count_missed(struct scope_trace *trace)
{
	struct scope_probe *probe;
	u16 kind;
	int i;

	for (i = 0; i < SCOPE_FUNCTIONS; i++) {
		probe = trace->probes[i];
		kind = function_hooks[i].kind;
		if (!probe || !kind)
			continue;
		scope_count_missed(trace, kind, IPCSCOPE_LOST_TABLE_FULL,
				   probe->kretprobe.nmissed - probe->missed[0]);
		scope_count_missed(trace, kind, IPCSCOPE_LOST_RECURSION,
				   probe->kretprobe.kp.nmissed -
				   probe->missed[1]);
	}
}

/*
 * A probe is taken away in two steps, since only the first can fail: ftrace may
 * need memory.  unregister_kretprobe() alone would not report it, and leave it
 * in the kernel's table.  What cannot be disarmed stays for ever, without a
 * trace, and keeps the module; to try again would spoil the kernel's count even
 * more.
 */
static bool disarm_or_leave(struct scope_trace *trace, int i)
{
	struct scope_probe *probe = trace->probes[i];
	int error = function_hooks[i].watch ?
			    unwatch_function(probe) :
			    disable_kprobe(&probe->kretprobe.kp);

	if (!error)
		return true;
	pr_warn("ipcscope: the probe of %s stays until the next boot: error %d\n",
		trace->function_target[i], error);
	probe_left = true;
	__module_get(THIS_MODULE);
	WRITE_ONCE(probe->trace, NULL);
	synchronize_rcu();
	return false;
}

static void unregister(struct scope_trace *trace, const bool *disarmed)
{
	struct kretprobe *kretprobes[SCOPE_FUNCTIONS];
	int i, count = 0;

	for (i = 0; i < SCOPE_FUNCTIONS; i++)
		if (disarmed[i] && !function_hooks[i].watch)
			kretprobes[count++] = &trace->probes[i]->kretprobe;
	unregister_kretprobes(kretprobes, count);
}

static void detach_functions(struct scope_trace *trace)
{
	bool disarmed[SCOPE_FUNCTIONS] = {};
	int i;

	for (i = 0; i < SCOPE_FUNCTIONS; i++)
		disarmed[i] = trace->probes[i] && disarm_or_leave(trace, i);
	unregister(trace, disarmed);
	for (i = 0; i < SCOPE_FUNCTIONS; i++) {
		if (disarmed[i])
			kfree(trace->probes[i]);
		trace->probes[i] = NULL;
	}
}

/*
 * Calls that have not returned stay where they are: their return addresses
 * lead into the kernel itself, which forgets the probe.
 */
void scope_hooks_detach(struct scope_trace *trace)
{
	detach_tracepoints(trace);
	detach_functions(trace);
}

int scope_hooks_attach(struct scope_trace *trace)
{
	int error = attach_tracepoints(trace);

	if (!error)
		error = attach_functions(trace);
	if (error)
		scope_hooks_detach(trace);
	return error;
}

static void describe_tracepoint(struct scope_trace *trace, u32 i,
				struct ipcscope_hook *hook)
{
	hook->flags = IPCSCOPE_HOOK_REQUIRED;
	if (trace->tracepoint_attached[i])
		hook->flags |= IPCSCOPE_HOOK_ATTACHED;
	hook->families = tracepoint_hooks[i].families;
	hook->error = trace->tracepoint_error[i];
	strscpy_pad(hook->name, tracepoint_hooks[i].name, sizeof(hook->name));
	strscpy_pad(hook->target, tracepoint_hooks[i].target,
		    sizeof(hook->target));
	strscpy_pad(hook->mechanism, "tracepoint", sizeof(hook->mechanism));
}

static void describe_function(struct scope_trace *trace, u32 i,
			      struct ipcscope_hook *hook)
{
	const char *target = trace->function_target[i] ?:
			     function_hooks[i].targets[0];

	if (function_hooks[i].required)
		hook->flags |= IPCSCOPE_HOOK_REQUIRED;
	if (trace->probes[i])
		hook->flags |= IPCSCOPE_HOOK_ATTACHED;
	hook->families = function_hooks[i].families;
	hook->error = trace->function_error[i];
	strscpy_pad(hook->name, function_hooks[i].name, sizeof(hook->name));
	strscpy_pad(hook->target, target, sizeof(hook->target));
	strscpy_pad(hook->mechanism,
		    function_hooks[i].watch ? watch_mechanism : "kretprobe",
		    sizeof(hook->mechanism));
}

/* `hook` is zero but for its index, which is in range. */
void scope_hook_describe(struct scope_trace *trace, u32 index,
			 struct ipcscope_hook *hook)
{
	if (index < SCOPE_TRACEPOINTS)
		describe_tracepoint(trace, index, hook);
	else
		describe_function(trace, index - SCOPE_TRACEPOINTS, hook);
}
