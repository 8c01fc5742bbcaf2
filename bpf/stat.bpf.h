/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `ipcscope stat`: events are added to the cell of their row and CPU, and make no
 * record.  The sources are compiled twice (CMakeLists.txt): with IPCSCOPE_STAT
 * the hooks add to cells, without it they write records and hold nothing of this.
 *
 *   without --by   stat_index[event]          ─► row ─► stat_cells[cpu][row]
 *   with it        stat_rows[{by, event}]     ─► row ─► stat_cells[cpu][row]
 *
 * A row is never freed.  Where none is left, the event is lost (table_full).
 * Everything is added atomically, for a hook can interrupt another one, or be
 * preempted; what is least and most is not, and the reader corrects both by the
 * buckets.
 */
#ifndef IPCSCOPE_STAT_BPF_H
#define IPCSCOPE_STAT_BPF_H

#include "emit.bpf.h"
#include "table.bpf.h"

/* By rows of one CPU; the collector sets the number of entries of all maps. */
struct stat_cells_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_stat_cell);
};

/* Key to row: 1 .. config.stat_rows.  Preallocated. */
struct stat_rows_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ipcscope_stat_key);
	__type(value, __u32);
};

/* Rows that no key has; filled by the collector. */
struct stat_free_map {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
};

extern struct stat_cells_map stat_cells SEC(".maps");
extern struct stat_rows_map stat_rows SEC(".maps");
extern struct stat_free_map stat_free SEC(".maps");

/* Event to row, where nothing else is asked for; 0: none.  No lookup: global data. */
extern __u32 stat_index[IPCSCOPE_STAT_EVENTS];

/* What an event is aggregated by. */
struct stat_subject {
	struct task_struct *task;	/* who takes the signal, who calls */
	const struct ipcscope_open_call *call;	/* NULL: a signal */
};

static __always_inline void stat_by(__u64 *by, const struct stat_subject *who)
{
	switch (config.stat_by) {
	case IPCSCOPE_STAT_BY_COMM:
		read_comm(by, who->task);
		break;
	case IPCSCOPE_STAT_BY_CGROUP:
		by[0] = cgroup_of(who->task);
		break;
	case IPCSCOPE_STAT_BY_PID:
		by[0] = (__u32)LOAD(who->task, tgid);
		break;
	case IPCSCOPE_STAT_BY_OBJECT:
		if (!who->call)
			break;
		by[0] = who->call->object;
		by[1] = (__u64)who->call->type << 32 | who->call->dev;
		break;
	}
}

/* A call is looked at for its record; a cell needs what it is keyed by. */
static __always_inline bool needs_object(void)
{
	return !IPCSCOPE_STAT || config.stat_by == IPCSCOPE_STAT_BY_OBJECT;
}

/* The row of a key; a new one where it has none.  0: no row is left. */
NOINLINE __u32 stat_make_row(const struct ipcscope_stat_key *key)
{
	__u32 *found = bpf_map_lookup_elem(&stat_rows, key);
	__u32 row = 0;

	if (found)
		return *found;
	if (bpf_map_pop_elem(&stat_free, &row))
		return 0;
	if (!bpf_map_update_elem(&stat_rows, key, &row, BPF_NOEXIST))
		return row;
	/* Another CPU has made it meanwhile. */
	bpf_map_push_elem(&stat_free, &row, 0);
	found = bpf_map_lookup_elem(&stat_rows, key);
	return found ? *found : 0;
}

NOINLINE __u32 stat_make_event_row(__u32 event)
{
	struct ipcscope_stat_key key = { .event = event };
	__u32 row = stat_make_row(&key);

	if (event < IPCSCOPE_STAT_EVENTS)
		stat_index[event] = row;
	return row;
}

static __always_inline __u32 stat_row(__u32 event,
				      const struct stat_subject *who)
{
	__u32 *row;

	if (config.stat_by != IPCSCOPE_STAT_BY_NONE) {
		struct ipcscope_stat_key key = { .event = event };

		stat_by(key.by, who);
		row = bpf_map_lookup_elem(&stat_rows, &key);
		return row ? *row : stat_make_row(&key);
	}
	if (event < IPCSCOPE_STAT_EVENTS && stat_index[event])
		return stat_index[event];
	return stat_make_event_row(event);
}

/* NULL: no row is left; counted as lost. */
static __always_inline struct ipcscope_stat_cell *
stat_cell(__u32 event, const struct stat_subject *who)
{
	__u32 at = stat_row(event, who);

	if (!at) {
		count_lost(IPCSCOPE_STAT_EVENT_KIND(event),
			   IPCSCOPE_LOST_TABLE_FULL);
		return NULL;
	}
	at += bpf_get_smp_processor_id() * config.stat_rows - 1;
	return bpf_map_lookup_elem(&stat_cells, &at);
}

/* Of a signal.  The verifier of 6.1 needs the bound that stat_row() tests. */
static __always_inline __u32 stat_signal_event(__u16 kind, int sig, int outcome)
{
	__u32 event = IPCSCOPE_STAT_EVENT(kind, sig & 0x7f, outcome & 0xf);

	asm volatile("" : "+r"(event));
	return event;
}

static __always_inline void stat_add_untimed(struct ipcscope_stat_cell *cell)
{
	__sync_fetch_and_add(&cell->untimed, 1);
}

static __always_inline void stat_add(struct ipcscope_stat_cell *cell, __u64 ns)
{
	__u64 inverted = ~ns, bucket = ipcscope_stat_bucket(ns);

	if (bucket >= IPCSCOPE_STAT_BUCKETS)
		bucket = IPCSCOPE_STAT_BUCKETS - 1;
	__sync_fetch_and_add(&cell->buckets[bucket], 1);
	__sync_fetch_and_add(&cell->sum_ns, ns);
	if (ns > cell->max_ns)
		cell->max_ns = ns;
	if (inverted > cell->min_inverted)
		cell->min_inverted = inverted;
}

/* The cell of the current thread's call, which returned `ret`: with its bytes. */
static __always_inline struct ipcscope_stat_cell *
stat_call_cell(struct ipcscope_thread_state *thread, struct task_struct *task,
	       __u16 kind, int ret)
{
	const struct stat_subject who = { .task = task, .call = &thread->call };
	__u8 op = thread->call.op;
	__u32 event, bytes, outcome = ipcscope_stat_call_outcome(op, ret);
	struct ipcscope_stat_cell *cell;

	event = IPCSCOPE_STAT_EVENT(kind, op, outcome & 0xf);
	/* As in stat_signal_event(). */
	asm volatile("" : "+r"(event));
	cell = stat_cell(event, &who);
	/* A pipe's calls are reads and writes: without a look at which. */
	bytes = kind == IPCSCOPE_CALL_PIPE ?
			(__u32)ret :
			ipcscope_moved_bytes(ipcscope_sends_whole(kind), op,
					     thread->call.requested, ret);
	/* Of a constant 0 clang makes an atomic OR, which 5.10 does not know. */
	if (cell && bytes && outcome == IPCSCOPE_STAT_CALL_OK &&
	    !ipcscope_only_peeks(kind, thread->call.flags))
		__sync_fetch_and_add(&cell->bytes, (__u64)bytes);
	return cell;
}

/* Closes the call. */
static __always_inline void stat_call(struct ipcscope_thread_state *thread,
				      struct task_struct *task, __u16 kind,
				      int ret)
{
	struct ipcscope_stat_cell *cell;

	thread->account.call = 0;
	cell = stat_call_cell(thread, task, kind, ret);
	if (cell)
		stat_add(cell, bpf_ktime_get_ns() - thread->account.enter_ns);
}

/* Its other end, after that. */
static __always_inline void
stat_call_untimed(struct ipcscope_thread_state *thread,
		  struct task_struct *task, __u16 kind, int ret)
{
	struct ipcscope_stat_cell *cell =
		stat_call_cell(thread, task, kind, ret);

	if (cell)
		stat_add_untimed(cell);
}

#endif /* IPCSCOPE_STAT_BPF_H */
