// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ipcscope: one reader, its states, and the memory that it maps
 * (include/uapi/ipcscope/transport.h).
 *
 * A mapping holds a reference to the open file, so the areas are freed only
 * after the last of them has gone; and an open file holds the module.
 */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "compat.h"
#include "device.h"
#include "emit.h"
#include "handler.h"
#include "hooks.h"
#include "stat.h"
#include "take.h"
#include "time.h"
#include "trace.h"

static uint memory_percent = 25;
module_param(memory_percent, uint, 0644);
MODULE_PARM_DESC(memory_percent,
		 "Most of the machine's memory that a trace may take (default: 25)");

/* So long before its time an end of the window is set, for all CPUs to see. */
#define NOTICE_NS	(100 * NSEC_PER_USEC)

/* The one reader's trace; it is looked at from outside as the module goes. */
static struct scope_trace *reader;
static DEFINE_MUTEX(reader_lock);
static DECLARE_WAIT_QUEUE_HEAD(reader_gone);

static void beat(struct work_struct *work)
{
	struct scope_trace *trace = container_of(to_delayed_work(work),
						 struct scope_trace,
						 heartbeat);

	WRITE_ONCE(scope_status(trace)->heartbeat_ns,
		   ktime_get_mono_fast_ns());
	schedule_delayed_work(&trace->heartbeat,
			      nsecs_to_jiffies(IPCSCOPE_HEARTBEAT_NS / 2));
}

static void wake_reader(struct irq_work *work)
{
	struct scope_trace *trace = container_of(work, struct scope_trace,
						 wakeup);

	wake_up_interruptible(&trace->wait);
}

static struct scope_trace *trace_alloc(void)
{
	struct scope_trace *trace = kvzalloc(sizeof(*trace), GFP_KERNEL);

	if (!trace)
		return NULL;
	mutex_init(&trace->lock);
	init_waitqueue_head(&trace->wait);
	init_irq_work(&trace->wakeup, wake_reader);
	INIT_DELAYED_WORK(&trace->heartbeat, beat);
	return trace;
}

static int scope_open(struct inode *inode, struct file *file)
{
	int error = 0;

	if (!perfmon_capable())
		return -EPERM;
	mutex_lock(&reader_lock);
	if (reader) {
		error = -EBUSY;
	} else {
		reader = trace_alloc();
		file->private_data = reader;
		if (!reader)
			error = -ENOMEM;
	}
	mutex_unlock(&reader_lock);
	return error;
}

static void free_areas(struct scope_trace *trace)
{
	unsigned int cpu;

	for (cpu = 0; trace->rings && cpu < trace->cpus; cpu++)
		vfree(trace->rings[cpu].data);
	kvfree(trace->rings);
	vfree(trace->status_area);
	vfree(trace->consumers);
	vfree(trace->sends);
	vfree(trace->handlers);
	scope_threads_free(&trace->threads);
	scope_stat_free(trace);
	scope_stacks_free(&trace->stacks);
	trace->rings = NULL;
	trace->status_area = NULL;
	trace->consumers = NULL;
	trace->sends = NULL;
	trace->handlers = NULL;
}

static u64 soon(void)
{
	return ktime_get_mono_fast_ns() + NOTICE_NS;
}

static void wait_until(u64 ns)
{
	while ((s64)(ktime_get_mono_fast_ns() - ns) < 0)
		usleep_range(NOTICE_NS / NSEC_PER_USEC,
			     2 * NOTICE_NS / NSEC_PER_USEC);
}

/* All hooks count from one instant on; then what there was before it. */
static void arm(struct scope_trace *trace)
{
	u64 start_ns = soon();

	scope_hooks_note_missed(trace);
	WRITE_ONCE(trace->start_ns, start_ns);
	smp_wmb();	/* pairs with scope_armed() */
	WRITE_ONCE(trace->window_ns, U64_MAX / 2);
	scope_status(trace)->start_ns = start_ns;
	wait_until(start_ns);
	if (!trace->stat)
		scope_time_sweep(trace);
}

/* On return no hook counts any more, and none is still running that does. */
static void disarm(struct scope_trace *trace)
{
	u64 stop_ns = soon();

	WRITE_ONCE(trace->window_ns, stop_ns - trace->start_ns);
	wait_until(stop_ns);
	tracepoint_synchronize_unregister();
	scope_hooks_count_missed(trace);
	if (trace->stat)
		scope_take_end_all(trace, stop_ns);
	scope_threads_close(&trace->threads);
	if (!trace->stat)
		scope_time_count_unfinished(trace);
	scope_status(trace)->stop_ns = stop_ns;
}

static void stop(struct scope_trace *trace)
{
	/* First: all that follows takes grace periods. */
	cancel_delayed_work_sync(&trace->heartbeat);
	disarm(trace);
	scope_hooks_detach(trace);
	irq_work_sync(&trace->wakeup);
	/* What was counted is seen before it. */
	smp_store_release(&trace->state, SCOPE_STOPPED);
	wake_up_interruptible(&trace->wait);
}

static int scope_release(struct inode *inode, struct file *file)
{
	struct scope_trace *trace = file->private_data;

	mutex_lock(&reader_lock);
	if (trace->state == SCOPE_RUNNING)
		stop(trace);
	free_areas(trace);
	scope_filters_free(&trace->filters);
	mutex_destroy(&trace->lock);
	kvfree(trace);
	reader = NULL;
	mutex_unlock(&reader_lock);
	wake_up(&reader_gone);
	return 0;
}

/* Of sums, or of records. */
static bool stat_is_sound(const struct ipcscope_start *start)
{
	if (!start->stat_rows)
		return !start->stat_pending && !start->stat_by;
	return start->stat_rows <= IPCSCOPE_STAT_ROWS_MAX &&
	       start->stat_pending &&
	       start->stat_pending <= IPCSCOPE_STAT_PENDING_MAX &&
	       start->stat_by < IPCSCOPE_STAT_BY_COUNT;
}

static int check_start(const struct ipcscope_start *start)
{
	if (start->transport != IPCSCOPE_TRANSPORT_VERSION ||
	    start->schema != IPCSCOPE_SCHEMA_VERSION)
		return -EPROTO;
	if (start->reserved || !stat_is_sound(start))
		return -EINVAL;
	if (!start->families || start->families & ~IPCSCOPE_FAMILY_HOOKED ||
	    start->filters >> IPCSCOPE_FILTER_FOLLOWED ||
	    start->follow > IPCSCOPE_FOLLOW_ALL)
		return -EINVAL;
	if (!start->max_threads || start->max_threads > IPCSCOPE_THREADS_MAX)
		return -EINVAL;
	if (start->ring_bytes < max_t(u64, PAGE_SIZE, IPCSCOPE_RING_MIN) ||
	    start->ring_bytes > IPCSCOPE_RING_MAX ||
	    !is_power_of_2(start->ring_bytes))
		return -EINVAL;
	if (!start->wakeup_bytes || start->wakeup_bytes > start->ring_bytes)
		return -EINVAL;
	return 0;
}

/* Asked before any of it is: the kernel might kill for what is too much. */
static bool fits_in_memory(const struct scope_trace *trace)
{
	u64 limit = (u64)totalram_pages() * PAGE_SIZE / 100 *
		    min(READ_ONCE(memory_percent), 100u);

	return trace->cpus * trace->config.ring_bytes +
	       trace->config.max_threads * sizeof(struct scope_thread) +
	       scope_handlers_bytes(&trace->config) +
	       scope_stat_bytes(&trace->config, trace->cpus) <=
	       limit;
}

static int make_rings(struct scope_trace *trace)
{
	u64 bytes = trace->config.ring_bytes;
	struct ipcscope_cpu *cpus;
	unsigned int cpu;

	trace->rings = kvcalloc(trace->cpus, sizeof(*trace->rings),
				GFP_KERNEL);
	if (!trace->rings)
		return -ENOMEM;
	cpus = trace->status_area + sizeof(struct ipcscope_status);
	for (cpu = 0; cpu < trace->cpus; cpu++) {
		trace->rings[cpu].cpu = &cpus[cpu];
		trace->rings[cpu].consumer = &trace->consumers[cpu];
		trace->rings[cpu].data = vmalloc_user(bytes);
		if (!trace->rings[cpu].data)
			return -ENOMEM;
	}
	return 0;
}

static size_t status_bytes(const struct scope_trace *trace)
{
	return PAGE_ALIGN(sizeof(struct ipcscope_status) +
			  trace->cpus * sizeof(struct ipcscope_cpu));
}

static size_t consumer_bytes(const struct scope_trace *trace)
{
	return PAGE_ALIGN(trace->cpus * sizeof(struct ipcscope_consumer));
}

static int make_areas(struct scope_trace *trace)
{
	trace->cpus = nr_cpu_ids;
	if (!fits_in_memory(trace))
		return -ENOMEM;
	trace->status_area = vmalloc_user(status_bytes(trace));
	trace->consumers = vmalloc_user(consumer_bytes(trace));
	if (!trace->status_area || !trace->consumers)
		return -ENOMEM;
	scope_status(trace)->cpus = trace->cpus;
	scope_status(trace)->ring_bytes = trace->config.ring_bytes;
	return make_rings(trace) ?:
	       scope_threads_init(&trace->threads,
				  trace->config.max_threads) ?:
	       scope_sends_init(trace) ?: scope_stacks_init(&trace->stacks) ?:
	       scope_handlers_init(trace) ?: scope_stat_init(trace);
}

static int start(struct scope_trace *trace, const struct ipcscope_start *start)
{
	int error;

	if (trace->state != SCOPE_OPEN)
		return -EINVAL;
	trace->config = *start;
	error = scope_filters_start(&trace->filters, start) ?:
		make_areas(trace) ?: scope_hooks_attach(trace);
	if (error) {
		/* A handler may have asked for a wake-up before it went. */
		irq_work_sync(&trace->wakeup);
		free_areas(trace);
		return error;
	}
	beat(&trace->heartbeat.work);
	arm(trace);
	/* Who sees it sees the areas. */
	smp_store_release(&trace->state, SCOPE_RUNNING);
	return 0;
}

static long ioctl_about(void __user *to)
{
	struct ipcscope_about about = {
		.transport = IPCSCOPE_TRANSPORT_VERSION,
		.schema = IPCSCOPE_SCHEMA_VERSION,
		.cpus = nr_cpu_ids,
		.hooks = SCOPE_HOOKS,
	};

	strscpy(about.version, SCOPE_VERSION, sizeof(about.version));
	return copy_to_user(to, &about, sizeof(about)) ? -EFAULT : 0;
}

static long ioctl_filter(struct scope_trace *trace, const void __user *from)
{
	struct ipcscope_filter filter;
	int error = -EINVAL;

	if (copy_from_user(&filter, from, sizeof(filter)))
		return -EFAULT;
	mutex_lock(&trace->lock);
	if (trace->state == SCOPE_OPEN)
		error = scope_filter_add(&trace->filters, &filter);
	mutex_unlock(&trace->lock);
	return error;
}

static long ioctl_start(struct scope_trace *trace, const void __user *from)
{
	struct ipcscope_start config;
	int error;

	if (copy_from_user(&config, from, sizeof(config)))
		return -EFAULT;
	error = check_start(&config);
	if (error)
		return error;
	mutex_lock(&trace->lock);
	error = start(trace, &config);
	mutex_unlock(&trace->lock);
	return error;
}

static long ioctl_stop(struct scope_trace *trace, void __user *arg)
{
	struct ipcscope_stop answer;
	int error = -EINVAL;

	if (copy_from_user(&answer, arg, sizeof(answer)))
		return -EFAULT;
	if (answer.unfinished || answer.reserved)
		return -EINVAL;
	mutex_lock(&trace->lock);
	if (trace->state == SCOPE_RUNNING) {
		stop(trace);
		answer.unfinished = trace->unfinished_count;
		error = 0;
	}
	mutex_unlock(&trace->lock);
	if (!error && copy_to_user(arg, &answer, sizeof(answer)))
		error = -EFAULT;
	return error;
}

static long ioctl_unfinished(struct scope_trace *trace, void __user *arg)
{
	struct ipcscope_unfinished unfinished;
	int error = -EINVAL;

	if (copy_from_user(&unfinished, arg, sizeof(unfinished)))
		return -EFAULT;
	if (unfinished.reserved)
		return -EINVAL;
	mutex_lock(&trace->lock);
	if (trace->state == SCOPE_STOPPED &&
	    unfinished.index < trace->unfinished_count) {
		scope_time_unfinished(trace, &unfinished);
		error = 0;
	}
	mutex_unlock(&trace->lock);
	if (!error && copy_to_user(arg, &unfinished, sizeof(unfinished)))
		error = -EFAULT;
	return error;
}

static long ioctl_hook(struct scope_trace *trace, void __user *arg)
{
	struct ipcscope_hook hook = {};

	if (copy_from_user(&hook.index, arg, sizeof(hook.index)))
		return -EFAULT;
	if (hook.index >= SCOPE_HOOKS)
		return -EINVAL;
	mutex_lock(&trace->lock);
	scope_hook_describe(trace, hook.index, &hook);
	mutex_unlock(&trace->lock);
	return copy_to_user(arg, &hook, sizeof(hook)) ? -EFAULT : 0;
}

static long scope_ioctl(struct file *file, unsigned int request,
			unsigned long arg)
{
	struct scope_trace *trace = file->private_data;
	void __user *user = (void __user *)arg;

	switch (request) {
	case IPCSCOPE_IOC_ABOUT:
		return ioctl_about(user);
	case IPCSCOPE_IOC_FILTER:
		return ioctl_filter(trace, user);
	case IPCSCOPE_IOC_START:
		return ioctl_start(trace, user);
	case IPCSCOPE_IOC_STOP:
		return ioctl_stop(trace, user);
	case IPCSCOPE_IOC_UNFINISHED:
		return ioctl_unfinished(trace, user);
	case IPCSCOPE_IOC_HOOK:
		return ioctl_hook(trace, user);
	default:
		return -ENOTTY;
	}
}

/* The area at an offset and its size; NULL: there is none. */
static void *area_at(struct scope_trace *trace, u64 offset, size_t *bytes)
{
	u64 cpu;

	if (offset == IPCSCOPE_MAP_STATUS) {
		*bytes = status_bytes(trace);
		return trace->status_area;
	}
	if (offset == IPCSCOPE_MAP_CONSUMER) {
		*bytes = consumer_bytes(trace);
		return trace->consumers;
	}
	if (offset < IPCSCOPE_MAP_CONSUMER)
		return scope_stat_area(trace, offset, bytes);
	cpu = (offset >> 32) - 2;
	if (cpu >= trace->cpus || offset != IPCSCOPE_MAP_RING(cpu))
		return NULL;
	*bytes = trace->config.ring_bytes;
	return trace->rings[cpu].data;
}

/* Once it has started, the areas stay as they are until the last close. */
static bool has_areas(struct scope_trace *trace)
{
	/* Pairs with START's release: the areas are seen, too. */
	return smp_load_acquire(&trace->state) != SCOPE_OPEN;
}

/*
 * Whole areas only; none but the consumer's can be written, now or later.  The
 * lock is not taken, since mmap_lock is held here.
 */
static int scope_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct scope_trace *trace = file->private_data;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	size_t bytes = 0;
	void *area;

	if (!has_areas(trace))
		return -EINVAL;
	area = area_at(trace, offset, &bytes);
	if (!area || vma->vm_end - vma->vm_start != bytes ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (offset != IPCSCOPE_MAP_CONSUMER) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		scope_vm_flags_clear(vma, VM_MAYWRITE);
	}
	scope_vm_flags_clear(vma, VM_MAYEXEC);
	/* Sets VM_DONTEXPAND and VM_DONTDUMP. */
	return remap_vmalloc_range(vma, area, 0);
}

static __poll_t scope_poll(struct file *file, poll_table *table)
{
	struct scope_trace *trace = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &trace->wait, table);
	if (has_areas(trace) && scope_worth_reading(trace))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(trace->state) == SCOPE_STOPPED)
		events |= EPOLLHUP;
	return events;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = scope_open,
	.release = scope_release,
	.unlocked_ioctl = scope_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = scope_mmap,
	.poll = scope_poll,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = IPCSCOPE_DEVICE,
	.fops = &operations,
	.mode = 0600,
};

int scope_device_register(void)
{
	return misc_register(&device);
}

/*
 * An open device holds the module, so there is no reader, unless it is
 * unloaded by force.  Then nothing may run in it any more but the reader's
 * last close, which a reader that misses the heartbeat comes to by itself.
 */
void scope_device_unregister(void)
{
	bool forced;

	misc_deregister(&device);
	mutex_lock(&reader_lock);
	forced = reader;
	if (forced) {
		mutex_lock(&reader->lock);
		if (reader->state == SCOPE_RUNNING)
			stop(reader);
		mutex_unlock(&reader->lock);
	}
	mutex_unlock(&reader_lock);
	if (!forced)
		return;
	pr_warn("ipcscope: unloaded by force: waiting for its reader\n");
	wait_event_idle(reader_gone, !READ_ONCE(reader));
	/* The kernel looks at our operations after the last close. */
	msleep(1000);
}
