/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tasks are wanted.  Filters of different kinds must all match, of one
 * kind any; a followed child is always wanted; the collector never is.
 */
#ifndef IPCSCOPE_FILTER_BPF_H
#define IPCSCOPE_FILTER_BPF_H

#include "maps.bpf.h"

#define CGROUP_DEPTH 16		/* levels looked at, from the task's own up */

static __always_inline bool comm_wanted(struct task_struct *task)
{
	struct ipcscope_comm key = {};

	read_comm(key.name, task);
	return bpf_map_lookup_elem(&filter_comms, &key);
}

static __always_inline bool cgroup_wanted(struct task_struct *task)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	int level;

	for (level = 0; level < CGROUP_DEPTH && cgroup; level++) {
		__u64 id = BPF_CORE_READ(cgroup, kn, id);

		if (bpf_map_lookup_elem(&filter_cgroups, &id))
			return true;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return false;
}

static __always_inline bool task_wanted(struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	__u32 tid = BPF_CORE_READ(task, pid);

	if (tgid == config.self_tgid)
		return false;
	if (config.follow && bpf_map_lookup_elem(&followed, &tgid))
		return true;
	if (config.filter_tgid && !bpf_map_lookup_elem(&filter_tgids, &tgid))
		return false;
	if (config.filter_tid && !bpf_map_lookup_elem(&filter_tids, &tid))
		return false;
	if (config.filter_comm && !comm_wanted(task))
		return false;
	if (config.filter_cgroup && !cgroup_wanted(task))
		return false;
	return true;
}

static __always_inline bool current_wanted(void)
{
	return task_wanted((struct task_struct *)bpf_get_current_task());
}

static __always_inline bool signal_wanted(int sig)
{
	return sig >= 1 && sig <= 64 &&
	       (config.signal_mask >> (sig - 1)) & 1;
}

#endif /* IPCSCOPE_FILTER_BPF_H */
