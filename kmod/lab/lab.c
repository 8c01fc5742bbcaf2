// SPDX-License-Identifier: GPL-2.0-only
/* See lab.h. */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "lab.h"
#include "nmi.h"

static DECLARE_WAIT_QUEUE_HEAD(sleepers);
static atomic_t releases = ATOMIC_INIT(0);

/* Its name is what tests look for in the victim's stack. */
static noinline long lab_sleep(const struct ipcscope_lab_sleep *sleep)
{
	int before = atomic_read(&releases);
	long timeout = sleep->milliseconds ?
			       msecs_to_jiffies(sleep->milliseconds) :
			       MAX_SCHEDULE_TIMEOUT;

	if (sleep->state == IPCSCOPE_LAB_KILLABLE) {
		timeout = wait_event_killable_timeout(sleepers,
						      atomic_read(&releases) !=
						      before, timeout);
		return timeout < 0 ? -EINTR : 0;
	}
	wait_event_timeout(sleepers, atomic_read(&releases) != before,
			   timeout);
	return 0;
}

static long lab_ioctl(struct file *file, unsigned int request,
		      unsigned long arg)
{
	struct ipcscope_lab_sleep sleep;
	struct ipcscope_lab_nmi nmi;

	switch (request) {
	case IPCSCOPE_LAB_IOC_SLEEP:
		if (copy_from_user(&sleep, (void __user *)arg, sizeof(sleep)))
			return -EFAULT;
		if (sleep.state != IPCSCOPE_LAB_UNINTERRUPTIBLE &&
		    sleep.state != IPCSCOPE_LAB_KILLABLE)
			return -EINVAL;
		return lab_sleep(&sleep);
	case IPCSCOPE_LAB_IOC_RELEASE:
		atomic_inc(&releases);
		wake_up_all(&sleepers);
		return 0;
	case IPCSCOPE_LAB_IOC_NMI:
		if (copy_from_user(&nmi, (void __user *)arg, sizeof(nmi)))
			return -EFAULT;
		return lab_nmi_send(&nmi);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations lab_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lab_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice lab_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = IPCSCOPE_LAB_DEVICE,
	.fops = &lab_operations,
	.mode = 0600,
};

static int __init lab_init(void)
{
	int error = lab_nmi_init();

	if (error)
		return error;
	error = misc_register(&lab_device);
	if (error)
		lab_nmi_exit();
	return error;
}

static void __exit lab_exit(void)
{
	misc_deregister(&lab_device);
	lab_nmi_exit();
}

module_init(lab_init);
module_exit(lab_exit);

MODULE_DESCRIPTION("Sleeps and NMIs on demand, for ipcscope's tests");
MODULE_AUTHOR("The ipcscope authors");
MODULE_LICENSE("GPL");
