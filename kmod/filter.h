/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tasks are wanted.  Filters of different kinds must all match, of one
 * kind any; a followed process is always wanted; the reader never is.
 */
#ifndef IPCSCOPE_FILTER_H
#define IPCSCOPE_FILTER_H

#include <linux/types.h>

#include <ipcscope/transport.h>

struct task_struct;

/*
 * Ids are bits: a set has no limit but PID_MAX_LIMIT, and adding, removing and
 * asking need no lock in any context.
 */
struct scope_filters {
	u64 signal_mask;
	u32 must_match;			/* bits of IPCSCOPE_FILTER_ */
	u32 follow;			/* IPCSCOPE_FOLLOW_ */
	pid_t self;			/* the reader's process */
	unsigned long *ids[IPCSCOPE_FILTER_COUNT];
	u32 comms;
	u32 cgroups;
	char comm[IPCSCOPE_FILTER_NAMES][IPCSCOPE_COMM_LEN];
	u64 cgroup[IPCSCOPE_FILTER_NAMES];
};

int scope_filter_add(struct scope_filters *filters,
		     const struct ipcscope_filter *filter);
int scope_filters_start(struct scope_filters *filters,
			const struct ipcscope_start *start);
void scope_filters_free(struct scope_filters *filters);

bool scope_task_wanted(const struct scope_filters *filters,
		       struct task_struct *task);
bool scope_signal_wanted(const struct scope_filters *filters, int sig);

void scope_follow_fork(const struct scope_filters *filters,
		       struct task_struct *parent, struct task_struct *child);
void scope_follow_free(const struct scope_filters *filters,
		       struct task_struct *task);

#endif /* IPCSCOPE_FILTER_H */
