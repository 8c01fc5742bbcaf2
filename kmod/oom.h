/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPCSCOPE_OOM_H
#define IPCSCOPE_OOM_H

#include <linux/types.h>

#include <ipcscope/record.h>

struct task_struct;

/* The OOM killer at work: one at a time, for it holds oom_lock. */
struct scope_oom {
	const struct task_struct *task;	/* that runs it */
	u64 cgroup;			/* of memory, 0: of all */
	u64 limit_pages;
	char name[IPCSCOPE_CGROUP_NAME_LEN];
};

/* To a signal that current sends, where that is the OOM killer's. */
void scope_oom_add(const struct scope_oom *oom,
		   struct ipcscope_signal_callers *record);

#endif /* IPCSCOPE_OOM_H */
