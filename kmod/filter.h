/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tasks are wanted.  Filters of different kinds must all match, of one
 * kind any.  A followed process needs no id among them; where only those of the
 * command are followed, its name and its cgroup must match all the same.  The
 * reader is never wanted.
 */
#ifndef IPCSCOPE_FILTER_H
#define IPCSCOPE_FILTER_H

#include <linux/bitops.h>
#include <linux/sched.h>
#include <linux/threads.h>
#include <linux/types.h>

#include <ipcscope/transport.h>

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

static __always_inline bool scope_has_id(const struct scope_filters *filters,
					 u32 type, pid_t id)
{
	return (u32)id < PID_MAX_LIMIT && test_bit(id, filters->ids[type]);
}

/* Those that hold for the command's processes, too. */
#define SCOPE_FILTER_NAMES \
	(BIT(IPCSCOPE_FILTER_COMM) | BIT(IPCSCOPE_FILTER_CGROUP))

/* Does it match all filters that must?  One that is `followed`, those of names. */
bool scope_task_matches(const struct scope_filters *filters,
			struct task_struct *task, bool followed);

static __always_inline bool
scope_task_wanted(const struct scope_filters *filters, struct task_struct *task)
{
	bool followed;

	if (unlikely(task->tgid == filters->self))
		return false;
	followed = filters->follow &&
		   scope_has_id(filters, IPCSCOPE_FILTER_FOLLOWED, task->tgid);
	if (followed && (!(filters->must_match & SCOPE_FILTER_NAMES) ||
			 filters->follow == IPCSCOPE_FOLLOW_ALL))
		return true;
	return !filters->must_match ||
	       scope_task_matches(filters, task, followed);
}

static inline bool scope_signal_wanted(const struct scope_filters *filters,
				       int sig)
{
	return sig >= 1 && sig <= 64 &&
	       (filters->signal_mask >> (sig - 1)) & 1;
}

/* Inode of its directory in the cgroup v2 hierarchy; 0: there is none. */
u64 scope_cgroup_of(struct task_struct *task);

void scope_follow_fork(const struct scope_filters *filters,
		       struct task_struct *parent, struct task_struct *child);
void scope_follow_free(const struct scope_filters *filters,
		       struct task_struct *task);

#endif /* IPCSCOPE_FILTER_H */
