// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/cgroup.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/threads.h>
#include <linux/vmalloc.h>

#include "filter.h"

#define CGROUP_DEPTH	16	/* levels looked at, from the task's own up */

static unsigned long *make_set(struct scope_filters *filters, u32 type)
{
	if (!filters->ids[type])
		filters->ids[type] = vzalloc(BITS_TO_LONGS(PID_MAX_LIMIT) *
					     sizeof(long));
	return filters->ids[type];
}

static int add_id(struct scope_filters *filters, u32 type, u64 id)
{
	if (id >= PID_MAX_LIMIT)
		return -EINVAL;
	if (!make_set(filters, type))
		return -ENOMEM;
	set_bit(id, filters->ids[type]);
	return 0;
}

static int add_comm(struct scope_filters *filters, const char *comm)
{
	if (filters->comms == IPCSCOPE_FILTER_NAMES)
		return -ENOSPC;
	strscpy(filters->comm[filters->comms++], comm, IPCSCOPE_COMM_LEN);
	return 0;
}

static int add_cgroup(struct scope_filters *filters, u64 id)
{
	if (filters->cgroups == IPCSCOPE_FILTER_NAMES)
		return -ENOSPC;
	filters->cgroup[filters->cgroups++] = id;
	return 0;
}

int scope_filter_add(struct scope_filters *filters,
		     const struct ipcscope_filter *filter)
{
	if (filter->reserved || filter->type >= IPCSCOPE_FILTER_COUNT)
		return -EINVAL;
	switch (filter->type) {
	case IPCSCOPE_FILTER_COMM:
		if (filter->id || !filter->comm[0] ||
		    filter->comm[IPCSCOPE_COMM_LEN - 1])
			return -EINVAL;
		return add_comm(filters, filter->comm);
	case IPCSCOPE_FILTER_CGROUP:
		if (memchr_inv(filter->comm, 0, sizeof(filter->comm)))
			return -EINVAL;
		return add_cgroup(filters, filter->id);
	default:
		if (memchr_inv(filter->comm, 0, sizeof(filter->comm)))
			return -EINVAL;
		return add_id(filters, filter->type, filter->id);
	}
}

/* A set that must match is there, even if it is empty and no task matches. */
int scope_filters_start(struct scope_filters *filters,
			const struct ipcscope_start *start)
{
	filters->signal_mask = start->signal_mask;
	filters->must_match = start->filters;
	filters->follow = start->follow;
	filters->self = current->tgid;
	if (!make_set(filters, IPCSCOPE_FILTER_TGID) ||
	    !make_set(filters, IPCSCOPE_FILTER_TID) ||
	    !make_set(filters, IPCSCOPE_FILTER_FOLLOWED))
		return -ENOMEM;
	return 0;
}

void scope_filters_free(struct scope_filters *filters)
{
	int type;

	for (type = 0; type < IPCSCOPE_FILTER_COUNT; type++) {
		vfree(filters->ids[type]);
		filters->ids[type] = NULL;
	}
}

static bool comm_wanted(const struct scope_filters *filters,
			struct task_struct *task)
{
	u32 i;

	for (i = 0; i < filters->comms; i++)
		if (!strncmp(task->comm, filters->comm[i], IPCSCOPE_COMM_LEN))
			return true;
	return false;
}

#ifdef CONFIG_CGROUPS
static bool cgroup_listed(const struct scope_filters *filters, u64 id)
{
	u32 i;

	for (i = 0; i < filters->cgroups; i++)
		if (filters->cgroup[i] == id)
			return true;
	return false;
}

static bool cgroup_wanted(const struct scope_filters *filters,
			  struct task_struct *task)
{
	struct cgroup *cgroup;
	bool wanted = false;
	int level;

	rcu_read_lock();
	cgroup = task_css_set(task)->dfl_cgrp;
	for (level = 0; level < CGROUP_DEPTH && cgroup && !wanted; level++) {
		wanted = cgroup_listed(filters, cgroup_id(cgroup));
		cgroup = cgroup_parent(cgroup);
	}
	rcu_read_unlock();
	return wanted;
}
u64 scope_cgroup_of(struct task_struct *task)
{
	u64 id;

	rcu_read_lock();
	id = cgroup_id(task_css_set(task)->dfl_cgrp);
	rcu_read_unlock();
	return id;
}
#else
u64 scope_cgroup_of(struct task_struct *task)
{
	return 0;
}

static bool cgroup_wanted(const struct scope_filters *filters,
			  struct task_struct *task)
{
	return false;
}
#endif

bool scope_task_matches(const struct scope_filters *filters,
			struct task_struct *task, bool followed)
{
	u32 must = filters->must_match;

	if (followed)
		must &= SCOPE_FILTER_NAMES;
	if ((must & BIT(IPCSCOPE_FILTER_TGID)) &&
	    !scope_has_id(filters, IPCSCOPE_FILTER_TGID, task->tgid))
		return false;
	if ((must & BIT(IPCSCOPE_FILTER_TID)) &&
	    !scope_has_id(filters, IPCSCOPE_FILTER_TID, task->pid))
		return false;
	if ((must & BIT(IPCSCOPE_FILTER_COMM)) && !comm_wanted(filters, task))
		return false;
	if ((must & BIT(IPCSCOPE_FILTER_CGROUP)) &&
	    !cgroup_wanted(filters, task))
		return false;
	return true;
}

void scope_follow_fork(const struct scope_filters *filters,
		       struct task_struct *parent, struct task_struct *child)
{
	bool follow = false;

	if (filters->follow == IPCSCOPE_FOLLOW_ALL)
		follow = scope_task_wanted(filters, parent);
	else if (filters->follow)
		follow = scope_has_id(filters, IPCSCOPE_FILTER_FOLLOWED,
				parent->tgid);
	if (follow && (u32)child->tgid < PID_MAX_LIMIT)
		set_bit(child->tgid, filters->ids[IPCSCOPE_FILTER_FOLLOWED]);
}

/* The leader is freed last; its number may now name another process. */
void scope_follow_free(const struct scope_filters *filters,
		       struct task_struct *task)
{
	if (filters->follow && task->tgid == task->pid &&
	    (u32)task->tgid < PID_MAX_LIMIT)
		clear_bit(task->tgid, filters->ids[IPCSCOPE_FILTER_FOLLOWED]);
}
