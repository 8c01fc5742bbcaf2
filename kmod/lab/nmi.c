// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include <asm/apic.h>
#include <asm/nmi.h>

#include "nmi.h"

#define NAME	"ipcscope_lab"

static struct tracepoint *freed;
static atomic_t ordered = ATOMIC_INIT(0);
static atomic_t handled = ATOMIC_INIT(0);
static DEFINE_MUTEX(lock);

static void call_hooks(struct task_struct *task)
{
	struct tracepoint_func *hook = rcu_dereference_raw(freed->funcs);

	for (; hook && hook->func; hook++)
		((void (*)(void *, struct task_struct *))hook->func)(hook->data,
								     task);
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (atomic_cmpxchg(&ordered, 1, 0) != 1)
		return NMI_DONE;
	call_hooks(&init_task);
	atomic_inc(&handled);
	return NMI_HANDLED;
}

static int send_one(unsigned int cpu)
{
	unsigned long end = jiffies + HZ;
	int before = atomic_read(&handled);

	atomic_set(&ordered, 1);
	apic->send_IPI(cpu, NMI_VECTOR);
	while (atomic_read(&handled) == before) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(20, 100);
	}
	return 0;
}

int lab_nmi_send(const struct ipcscope_lab_nmi *order)
{
	int error = 0;
	u32 i;

	cpus_read_lock();
	mutex_lock(&lock);
	if (order->cpu >= nr_cpu_ids || !cpu_online(order->cpu))
		error = -EINVAL;
	for (i = 0; i < order->count && !error; i++)
		error = send_one(order->cpu);
	mutex_unlock(&lock);
	cpus_read_unlock();
	return error;
}

static void find_tracepoint(struct tracepoint *tracepoint, void *unused)
{
	if (!strcmp(tracepoint->name, "sched_process_free"))
		freed = tracepoint;
}

int lab_nmi_init(void)
{
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	if (!freed)
		return -ENOENT;
	return register_nmi_handler(NMI_LOCAL, on_nmi, 0, NAME);
}

void lab_nmi_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, NAME);
}
