/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls: remembered on entry, turned into a record on exit; and moments, which
 * have no exit.
 *
 * Twins.  A kernel that can preempt a program (CONFIG_PREEMPT, also lazily)
 * skips it for every other task that comes to the same function on that CPU
 * until the preempted one goes on: the event would be lost, and on a busy
 * machine many are.  So two copies of each program watch such a function.
 * They are equals, whichever runs first does the work:
 *
 *   entry  no entry, or a stale one: make it, fresh;  a fresh one: the twin
 *          has made it, so only mark it as seen
 *   exit   an entry: emit, delete;  none: the twin has done it
 *
 * Both skipped: the entry is lost, and the collector knows how many are, from
 * the kernel's own count of skipped runs of the first twin:
 *
 *   lost = skipped(first) + wanted(first) - entered(either)
 *
 * Both exits skipped: the entry stays and is found stale at the next call.
 *
 * A moment (a task exits) is seen by the first twin, which leaves a mark, and by
 * the second, which takes the mark away or, without one, does the work.  The
 * mark tells the very task, so that a stale one hides no other.
 */
#ifndef IPCSCOPE_CALL_BPF_H
#define IPCSCOPE_CALL_BPF_H

#include "emit.bpf.h"
#include "filter.bpf.h"

enum twin { FIRST_TWIN, SECOND_TWIN };

static __always_inline struct ipcscope_entries *this_entries(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&entries, &zero);
}

/* Is it this twin that has to make the entry? */
static __always_inline bool call_begins(__u16 kind, __u32 key, enum twin twin)
{
	struct ipcscope_entries *counts = this_entries();
	struct ipcscope_call *call;

	if (!counts || kind >= IPCSCOPE_KIND_COUNT)
		return false;
	if (!current_wanted()) {
		if (twin == FIRST_TWIN)
			count_filtered(kind);
		return false;
	}
	if (twin == FIRST_TWIN)
		__sync_fetch_and_add(&counts->wanted[kind], 1);
	call = bpf_map_lookup_elem(&calls, &key);
	if (call && call->fresh) {
		call->fresh = 0;
		return false;
	}
	if (call)
		count_lost(call->kind, IPCSCOPE_LOST_RECURSION);
	__sync_fetch_and_add(&counts->entered[kind], 1);
	return true;
}

/* fresh only where there is a twin to look at it. */
static __always_inline void call_enter(__u32 key, struct ipcscope_call *call)
{
	call->fresh = config.twins;
	if (bpf_map_update_elem(&calls, &key, call, BPF_ANY))
		count_lost(call->kind, IPCSCOPE_LOST_TABLE_FULL);
}

/* NULL: filtered, entered before the attach, or the twin has had it. */
static __always_inline struct ipcscope_call *call_of(__u16 kind, __u32 key)
{
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &key);

	return call && call->kind == kind ? call : NULL;
}

static __always_inline void call_leave(__u32 key)
{
	bpf_map_delete_elem(&calls, &key);
}

/* Is it this twin that has to tell of the moment?  Counts the unwanted. */
static __always_inline bool moment_begins(__u16 kind, struct task_struct *task,
					  bool wanted, enum twin twin)
{
	__u64 key = (__u64)kind << 32 | BPF_CORE_READ(task, pid);
	__u64 started = BPF_CORE_READ(task, start_time);
	struct ipcscope_entries *counts = this_entries();
	__u64 *seen;

	if (!counts || kind >= IPCSCOPE_KIND_COUNT)
		return false;
	if (twin == SECOND_TWIN) {
		seen = bpf_map_lookup_elem(&moments, &key);
		if (seen && *seen == started) {
			bpf_map_delete_elem(&moments, &key);
			return false;
		}
	} else if (config.twins) {
		bpf_map_update_elem(&moments, &key, &started, BPF_ANY);
	}
	if (!wanted)
		count_filtered(kind);
	if (wanted && twin == FIRST_TWIN)
		__sync_fetch_and_add(&counts->wanted[kind], 1);
	if (wanted || twin == SECOND_TWIN)
		__sync_fetch_and_add(&counts->entered[kind], 1);
	return wanted;
}

#endif /* IPCSCOPE_CALL_BPF_H */
