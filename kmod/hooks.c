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

struct tracepoint_hook {
	const char *name;
	const char *target;
	void *handler;
	u32 families;
};

/* A family is useless without any of its tracepoints. */
static const struct tracepoint_hook tracepoint_hooks[SCOPE_TRACEPOINTS] = {
	{ "task freed", "sched_process_free", scope_process_free,
	  SIGNALS | PIPES | KILLS },
	{ "task exit", "sched_process_exit", scope_process_exit,
	  SIGNALS | PIPES | KILLS },
	{ "fork", "sched_process_fork", scope_process_fork,
	  SIGNALS | PIPES | KILLS },
	{ "context switch", "sched_switch", scope_sched_switch, PIPES },
	{ "wake-up", "sched_waking", scope_sched_waking, PIPES },
	{ "stack of a sleeper", "sched_switch", scope_sched_switch_stacks,
	  KILLS },
	{ "signal delivered", "signal_deliver", scope_signal_deliver,
	  SIGNALS | KILLS },
	{ "signal generated", "signal_generate", scope_signal_generate,
	  SIGNALS | KILLS },
};

/* Never called: the compiler compares our handlers with the kernel's types. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_sched_process_free(scope_process_free);
	check_trace_callback_type_sched_process_exit(scope_process_exit);
	check_trace_callback_type_sched_process_fork(scope_process_fork);
	check_trace_callback_type_sched_switch(scope_sched_switch);
	check_trace_callback_type_sched_switch(scope_sched_switch_stacks);
	check_trace_callback_type_sched_waking(scope_sched_waking);
	check_trace_callback_type_signal_deliver(scope_signal_deliver);
	check_trace_callback_type_signal_generate(scope_signal_generate);
}

struct function_hook {
	const char *name;
	const char *targets[3];		/* candidates, in this order */
	kretprobe_handler_t enter;
	kretprobe_handler_t exit;
	size_t data;
	u32 families;
	u16 kind;			/* that a missed run loses */
	bool required;
	bool sleeps;			/* many calls can be under way */
};

static const struct function_hook function_hooks[SCOPE_FUNCTIONS] = {
	/* Renamed in 6.0 by 157cc18122b4. */
	{ "signal send", { "__send_signal_locked", "__send_signal" },
	  scope_send_enter, scope_send_exit, sizeof(struct scope_call_send),
	  SIGNALS | KILLS, IPCSCOPE_SIGNAL_SEND, true, false },
	{ "signal dequeued", { "dequeue_signal" },
	  scope_dequeue_enter, scope_dequeue_exit, sizeof(unsigned long),
	  SIGNALS | KILLS, IPCSCOPE_SIGNAL_DEQUEUE, false, false },
	{ "get_signal", { "get_signal" },
	  scope_get_enter, scope_get_exit, sizeof(struct scope_call),
	  SIGNALS, IPCSCOPE_SIGNAL_GET, false, true },
	/*
	 * Since 6.15 a pipe's and a FIFO's functions are two, and fifo_pipe_*
	 * calls anon_pipe_*: hooking the latter counts each call once.
	 */
	{ "pipe read", { "anon_pipe_read", "pipe_read" },
	  scope_read_enter, scope_pipe_exit, sizeof(struct scope_call),
	  PIPES, IPCSCOPE_PIPE_READ, true, true },
	{ "pipe write", { "anon_pipe_write", "pipe_write" },
	  scope_write_enter, scope_pipe_exit, sizeof(struct scope_call),
	  PIPES, IPCSCOPE_PIPE_WRITE, true, true },
};

/*
 * A probe could not be disarmed.  The kernel has lost count of its probes then,
 * and new ones might be silent: none is attached until the next boot.
 */
static bool probe_left;

struct scope_trace *scope_trace_of(struct kretprobe_instance *instance)
{
	struct kretprobe *probe = scope_kretprobe_of(instance);

	if (!probe)
		return NULL;	/* being taken away */
	return READ_ONCE(container_of(probe, struct scope_probe,
				      kretprobe)->trace);
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct scope_trace *trace = data;
	int i;

	for (i = 0; i < SCOPE_TRACEPOINTS; i++)
		if (!strcmp(tracepoint->name, tracepoint_hooks[i].target))
			trace->tracepoints[i] = tracepoint;
}

static int attach_tracepoints(struct scope_trace *trace)
{
	int i, error;

	for_each_kernel_tracepoint(find_tracepoint, trace);
	for (i = 0; i < SCOPE_TRACEPOINTS; i++) {
		if (!(tracepoint_hooks[i].families & trace->config.families))
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

static int attach_function(struct scope_trace *trace, int i)
{
	const struct function_hook *hook = &function_hooks[i];
	const char *const *target;
	struct kretprobe *kretprobe;
	struct scope_probe *probe;
	int error = -ENOENT;

	if (probe_left)
		return -ENOTRECOVERABLE;
	probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	if (!probe)
		return -ENOMEM;
	probe->trace = trace;
	kretprobe = &probe->kretprobe;
	for (target = hook->targets; *target && error == -ENOENT; target++) {
		memset(kretprobe, 0, sizeof(*kretprobe));
		kretprobe->kp.symbol_name = *target;
		kretprobe->entry_handler = hook->enter;
		kretprobe->handler = hook->exit;
		kretprobe->data_size = hook->data;
		kretprobe->maxactive = hook->sleeps ? trace->config.max_calls :
						      2 * trace->cpus;
		trace->function_target[i] = *target;
		error = register_kretprobe(kretprobe);
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
		if (!(function_hooks[i].families & trace->config.families))
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

/* What the kernel skipped: no instance free, or another probe running. */
static void count_missed(struct scope_trace *trace, int i)
{
	struct kretprobe *probe = &trace->probes[i]->kretprobe;
	u16 kind = function_hooks[i].kind;

	scope_count_missed(trace, kind, IPCSCOPE_LOST_TABLE_FULL,
			   probe->nmissed);
	scope_count_missed(trace, kind, IPCSCOPE_LOST_RECURSION,
			   probe->kp.nmissed);
}

/*
 * A probe is taken away in two steps, since only the first can fail: ftrace may
 * need memory.  unregister_kretprobe() alone would not tell, and leave it in the
 * kernel's table.  What cannot be disarmed stays for ever, without a trace, and
 * keeps the module; to try again would spoil the kernel's count even more.
 */
static bool disarm_or_leave(struct scope_trace *trace, int i)
{
	struct scope_probe *probe = trace->probes[i];
	int error = disable_kretprobe(&probe->kretprobe);

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

static void detach_functions(struct scope_trace *trace)
{
	struct kretprobe *disarmed[SCOPE_FUNCTIONS];
	int i, count = 0;

	for (i = 0; i < SCOPE_FUNCTIONS; i++)
		if (trace->probes[i] && disarm_or_leave(trace, i))
			disarmed[count++] = &trace->probes[i]->kretprobe;
	unregister_kretprobes(disarmed, count);
	for (i = 0; i < SCOPE_FUNCTIONS; i++) {
		if (!trace->probes[i])
			continue;
		count_missed(trace, i);
		if (trace->probes[i]->trace)
			kfree(trace->probes[i]);
		trace->probes[i] = NULL;
	}
}

/*
 * Calls that have not returned stay where they are: their return addresses
 * lead into the kernel itself, which forgets the probe.  Their entries must
 * not stay in the table, for the memory goes with the probe.
 */
void scope_hooks_detach(struct scope_trace *trace)
{
	scope_calls_close(&trace->calls);
	scope_calls_drain(&trace->calls, scope_pipe_unfinished, trace);
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
	strscpy_pad(hook->mechanism, "kretprobe", sizeof(hook->mechanism));
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
