// SPDX-License-Identifier: GPL-2.0-only
/*
 * The OOM killer, before it sends SIGKILL: for which memory cgroup.  It goes on to the
 * send core in the same thread, and until the next one no other thread gets here.
 */
#include "emit.bpf.h"
#include <bpf/bpf_tracing.h>

HOOK("fentry", oom_kill)
{
	struct oom_control *control = (struct oom_control *)ctx[0];
	struct mem_cgroup *memory = BPF_CORE_READ(control, memcg);
	struct kernfs_node *node = NULL;

	__builtin_memset(oom.name, 0, sizeof(oom.name));
	oom.cgroup = 0;
	oom.limit_pages = 0;
	if (memory) {
		node = BPF_CORE_READ(memory, css.cgroup, kn);
		oom.limit_pages = BPF_CORE_READ(memory, memory.max);
		oom.cgroup = BPF_CORE_READ(node, id);
		bpf_probe_read_kernel_str(oom.name, sizeof(oom.name),
					  BPF_CORE_READ(node, name));
	}
	oom.task = (__u64)current_task();
}
