/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tasks are wanted.  Filters of different kinds must all match, of one
 * kind any.  A followed process needs no id among them; where only those of the
 * command are followed, its name and its cgroup must match all the same.  The
 * collector is never wanted.
 */
#ifndef IPCSCOPE_FILTER_BPF_H
#define IPCSCOPE_FILTER_BPF_H

#include "maps.bpf.h"

#define CGROUP_DEPTH 16		/* levels looked at, from the task's own up */

static __always_inline bool comm_in_map(struct task_struct *task)
{
	struct ipcscope_comm key;

	read_comm(key.name, task);
	return bpf_map_lookup_elem(&filter_comms, &key);
}

static __always_inline bool comm_is(const __u64 *comm, __u32 i)
{
	return i < config.comm_count &&
	       (comm[0] & config.comms[i].mask[0]) == config.comms[i].name[0] &&
	       (comm[1] & config.comms[i].mask[1]) == config.comms[i].name[1];
}

/* A few names are constants of the programs. */
static __always_inline bool comm_wanted(struct task_struct *task)
{
	__u64 comm[2];

	if (config.comm_count > IPCSCOPE_COMM_FILTERS)
		return comm_in_map(task);
	load_comm(comm, task);
	return comm_is(comm, 0) || comm_is(comm, 1) || comm_is(comm, 2) ||
	       comm_is(comm, 3);
}

/* IPCSCOPE_PID_ of a process or a thread; NULL: no kernel has such an id. */
static __always_inline __u8 *pid_flags(__u32 id)
{
	__u32 block = id / IPCSCOPE_PID_BLOCK;
	struct ipcscope_pids *ids = bpf_map_lookup_elem(&pids, &block);

	return ids ? &ids->flags[id % IPCSCOPE_PID_BLOCK] : NULL;
}

static __always_inline bool cgroup_wanted(struct task_struct *task)
{
	struct css_set *sets = LOAD(task, cgroups);
	struct cgroup *cgroup = LOAD(sets, dfl_cgrp);
	int level;

	for (level = 0; level < CGROUP_DEPTH && cgroup; ++level) {
		struct kernfs_node *node = LOAD(cgroup, kn);
		struct cgroup_subsys_state *parent;
		__u64 id = LOAD(node, id);

		if (bpf_map_lookup_elem(&filter_cgroups, &id))
			return true;
		parent = LOAD(cgroup, self.parent);
		if (!parent)
			break;
		cgroup = LOAD(parent, cgroup);
	}
	return false;
}

/* Can a thread that was wanted stop being so, or the reverse? */
static __always_inline bool wanted_changes(void)
{
	return config.filter_comm || config.filter_cgroup;
}

static __always_inline bool names_wanted(struct task_struct *task)
{
	if (config.filter_comm && !comm_wanted(task))
		return false;
	return !config.filter_cgroup || cgroup_wanted(task);
}

static __always_inline bool task_wanted(struct task_struct *task)
{
	__u32 tgid = LOAD(task, tgid);
	__u8 follow;

	if (tgid == config.self_tgid)
		return false;
	follow = config.follow;
	if (follow || config.filter_tgid) {
		__u8 *flags = pid_flags(tgid);

		if (follow && flags && *flags & IPCSCOPE_PID_FOLLOWED)
			return follow < IPCSCOPE_FOLLOW_NAMED ||
			       names_wanted(task);
		if (config.filter_tgid &&
		    !(flags && *flags & IPCSCOPE_PID_TGID))
			return false;
	}
	if (config.filter_tid) {
		__u8 *flags = pid_flags(LOAD(task, pid));

		if (!(flags && *flags & IPCSCOPE_PID_TID))
			return false;
	}
	return names_wanted(task);
}

static __always_inline bool signal_wanted(int sig)
{
	return sig >= 1 && sig <= 64 &&
	       (config.signal_mask >> (sig - 1)) & 1;
}

#endif /* IPCSCOPE_FILTER_BPF_H */
