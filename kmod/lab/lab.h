/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * /dev/ipcscope_lab: what no system call does on demand, so that tests are exact
 * and quick: puts the caller to sleep (D-state kills), interrupts a CPU by NMI.
 * For tests only: it is never installed, and no part of ipcscope needs it.
 */
#ifndef IPCSCOPE_LAB_H
#define IPCSCOPE_LAB_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IPCSCOPE_LAB_DEVICE	"ipcscope_lab"

/* sleep.state */
#define IPCSCOPE_LAB_UNINTERRUPTIBLE	1	/* D: no signal ends it */
#define IPCSCOPE_LAB_KILLABLE		2	/* K: SIGKILL ends it, EINTR */

struct ipcscope_lab_sleep {
	__u32 state;
	__u32 milliseconds;		/* 0: until it is released */
};

/*
 * NMIs to a CPU, one after the other.  Each calls there, for the idle task,
 * which is never freed, what is attached to the tracepoint sched_process_free, as
 * a hook that runs in an NMI would be called.
 */
struct ipcscope_lab_nmi {
	__u32 cpu;			/* EINVAL: not online */
	__u32 count;
};

#define IPCSCOPE_LAB_IOC_SLEEP	_IOW(0xe2, 0, struct ipcscope_lab_sleep)
#define IPCSCOPE_LAB_IOC_RELEASE	_IO(0xe2, 1)	/* all sleepers */
#define IPCSCOPE_LAB_IOC_NMI	_IOW(0xe2, 2, struct ipcscope_lab_nmi)

#endif /* IPCSCOPE_LAB_H */
