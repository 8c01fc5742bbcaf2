// SPDX-License-Identifier: GPL-2.0-only
/*
 * The OOM killer, before it sends SIGKILL: for which memory cgroup.  It goes on to
 * the send core in the same thread, and until the next one no other thread gets here.
 */
#include <linux/cgroup.h>
#include <linux/kernfs.h>
#include <linux/memcontrol.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "hooks.h"
#include "oom.h"

#ifdef CONFIG_MEMCG
static void look_at_cgroup(struct scope_oom *oom, struct mem_cgroup *memory)
{
	struct cgroup *cgroup = memory->css.cgroup;

	oom->limit_pages = READ_ONCE(memory->memory.max);
	oom->cgroup = cgroup_id(cgroup);
	strscpy_pad(oom->name, cgroup->kn->name, sizeof(oom->name));
}
#else
static void look_at_cgroup(struct scope_oom *oom, struct mem_cgroup *memory)
{
}
#endif

static void kills(struct scope_trace *trace, const struct oom_control *control)
{
	if (!trace)
		return;
	memset(&trace->oom, 0, sizeof(trace->oom));
	if (control->memcg)
		look_at_cgroup(&trace->oom, control->memcg);
	trace->oom.task = current;
}

SCOPE_WATCHER(scope_oom_kill)
{
	kills(SCOPE_WATCHED(), (void *)SCOPE_ARGUMENT(regs, 0));
	SCOPE_WATCH_END;
}

void scope_oom_add(const struct scope_oom *oom,
		   struct ipcscope_signal_callers *record)
{
	if (oom->task != current)
		return;
	record->memory_limit = oom->limit_pages;
	record->memory_cgroup = oom->cgroup;
	memcpy(record->cgroup_name, oom->name, sizeof(record->cgroup_name));
}
