// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <ipcscope/policy.h>

#include "call.h"
#include "emit.h"
#include "filter.h"
#include "stat.h"
#include "trace.h"

static size_t cells_of(const struct scope_stat *stat, unsigned int cpus)
{
	return (size_t)stat->rows * cpus;
}

u64 scope_stat_bytes(const struct ipcscope_start *config, unsigned int cpus)
{
	return (u64)config->stat_rows * cpus *
		       sizeof(struct ipcscope_stat_cell) +
	       (u64)config->stat_pending * sizeof(struct ipcscope_stat_slot);
}

static int make_index(struct scope_stat *stat)
{
	u32 entries = stat->by == IPCSCOPE_STAT_BY_NONE ?
			      IPCSCOPE_STAT_EVENTS :
			      2 * roundup_pow_of_two(stat->rows);

	raw_spin_lock_init(&stat->lock);
	stat->index_mask = entries - 1;
	stat->index = vzalloc(array_size(entries, sizeof(*stat->index)));
	return stat->index ? 0 : -ENOMEM;
}

static int make_stat_areas(struct scope_trace *trace, struct scope_stat *stat)
{
	stat->keys = vmalloc_user(array_size(stat->rows, sizeof(*stat->keys)));
	stat->cells = vmalloc_user(array_size(cells_of(stat, trace->cpus),
					      sizeof(*stat->cells)));
	stat->tallies = vmalloc_user(array_size(trace->cpus,
						sizeof(*stat->tallies)));
	return stat->keys && stat->cells && stat->tallies ? 0 : -ENOMEM;
}

int scope_stat_init(struct scope_trace *trace)
{
	struct scope_stat *stat;

	if (!trace->config.stat_rows)
		return 0;
	stat = vzalloc(sizeof(*stat));
	if (!stat)
		return -ENOMEM;
	trace->stat = stat;
	stat->by = trace->config.stat_by;
	stat->rows = trace->config.stat_rows;
	return make_index(stat) ?: make_stat_areas(trace, stat) ?:
	       scope_pending_init(stat, trace->config.stat_pending);
}

void scope_stat_free(struct scope_trace *trace)
{
	struct scope_stat *stat = trace->stat;

	if (!stat)
		return;
	scope_pending_free(stat);
	vfree(stat->index);
	vfree(stat->keys);
	vfree(stat->cells);
	vfree(stat->tallies);
	vfree(stat);
	trace->stat = NULL;
}

void *scope_stat_area(struct scope_trace *trace, u64 offset, size_t *bytes)
{
	struct scope_stat *stat = trace->stat;

	if (!stat)
		return NULL;
	switch (offset) {
	case IPCSCOPE_MAP_STAT_KEYS:
		*bytes = PAGE_ALIGN(stat->rows * sizeof(*stat->keys));
		return stat->keys;
	case IPCSCOPE_MAP_STAT_CELLS:
		*bytes = PAGE_ALIGN(cells_of(stat, trace->cpus) *
				    sizeof(*stat->cells));
		return stat->cells;
	case IPCSCOPE_MAP_STAT_TALLIES:
		*bytes = PAGE_ALIGN(trace->cpus * sizeof(*stat->tallies));
		return stat->tallies;
	case IPCSCOPE_MAP_STAT_SLOTS:
		*bytes = PAGE_ALIGN((size_t)trace->config.stat_pending *
				    sizeof(*stat->slots));
		return stat->slots;
	default:
		return NULL;
	}
}

static bool same_key(const struct ipcscope_stat_key *one,
		     const struct ipcscope_stat_key *other)
{
	return one->by[0] == other->by[0] && one->by[1] == other->by[1] &&
	       one->event == other->event;
}

/* The entry of a key in the hash: its own, or a free one. */
static u32 *entry_of(struct scope_stat *stat,
		     const struct ipcscope_stat_key *key)
{
	u32 at = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), 0);
	u32 row;

	/* At most half of them are used. */
	for (;; at++) {
		u32 *entry = &stat->index[at & stat->index_mask];

		row = smp_load_acquire(entry);
		if (!row || same_key(&stat->keys[row - 1], key))
			return entry;
	}
}

static u32 *find_entry(struct scope_stat *stat,
		       const struct ipcscope_stat_key *key)
{
	if (stat->by == IPCSCOPE_STAT_BY_NONE)
		return &stat->index[key->event & stat->index_mask];
	return entry_of(stat, key);
}

/* Row + 1 of a key that had none; 0: no row is left. */
static noinline u32 make_row(struct scope_stat *stat,
			     const struct ipcscope_stat_key *key)
{
	u32 *entry, row;

	raw_spin_lock(&stat->lock);
	entry = find_entry(stat, key);
	row = *entry;
	if (!row && stat->used < stat->rows) {
		struct ipcscope_stat_key *to = &stat->keys[stat->used];

		row = ++stat->used;
		to->by[0] = key->by[0];
		to->by[1] = key->by[1];
		/* The reader takes a row that has an event. */
		smp_store_release(&to->event, key->event);
		smp_store_release(entry, row);
	}
	raw_spin_unlock(&stat->lock);
	return row;
}

static void fill_by(u64 *by, u32 what, struct task_struct *task,
		    const struct scope_call *call)
{
	switch (what) {
	case IPCSCOPE_STAT_BY_COMM:
		memcpy(by, task->comm, IPCSCOPE_COMM_LEN);
		break;
	case IPCSCOPE_STAT_BY_CGROUP:
		by[0] = scope_cgroup_of(task);
		break;
	case IPCSCOPE_STAT_BY_PID:
		by[0] = task->tgid;
		break;
	case IPCSCOPE_STAT_BY_OBJECT:
		if (!call)
			break;
		by[0] = call->object;
		by[1] = (u64)call->type << 32 | call->dev;
		break;
	}
}

/* Row + 1 where it is not by the event alone, or that has none yet. */
static noinline u32 row_of(struct scope_stat *stat, u32 event,
			   struct task_struct *task,
			   const struct scope_call *call)
{
	struct ipcscope_stat_key key = { .event = event };

	fill_by(key.by, stat->by, task, call);
	return READ_ONCE(*find_entry(stat, &key)) ?: make_row(stat, &key);
}

/* `task`: who takes the signal, or calls.  NULL: no row is left; it is lost. */
static struct ipcscope_stat_cell *cell_of(struct scope_trace *trace, u32 event,
					  struct task_struct *task,
					  const struct scope_call *call)
{
	struct scope_stat *stat = trace->stat;
	u32 row = 0;

	if (stat->by == IPCSCOPE_STAT_BY_NONE)
		row = READ_ONCE(stat->index[event]);
	if (!row)
		row = row_of(stat, event, task, call);
	if (unlikely(!row)) {
		scope_count_lost(trace, IPCSCOPE_STAT_EVENT_KIND(event),
				 IPCSCOPE_LOST_TABLE_FULL);
		return NULL;
	}
	return &stat->cells[(size_t)raw_smp_processor_id() * stat->rows +
			    row - 1];
}

static void add_one(__u64 *count)
{
	WRITE_ONCE(*count, *count + 1);
}

/* As ipcscope_stat_bucket(), by the instruction that finds the highest bit. */
static u32 bucket_of(u64 ns)
{
	u32 shift;

	if (ns < 2 << IPCSCOPE_STAT_SUB_BITS)
		return ns;
	shift = ilog2(ns) - IPCSCOPE_STAT_SUB_BITS;
	return min_t(u32, (shift << IPCSCOPE_STAT_SUB_BITS) + (ns >> shift),
		     IPCSCOPE_STAT_BUCKETS - 1);
}

static void add_latency(struct ipcscope_stat_cell *cell, u64 ns)
{
	add_one(&cell->buckets[bucket_of(ns)]);
	WRITE_ONCE(cell->sum_ns, cell->sum_ns + ns);
	if (ns > cell->max_ns)
		WRITE_ONCE(cell->max_ns, ns);
	if (~ns > cell->min_inverted)
		WRITE_ONCE(cell->min_inverted, ~ns);
}

void scope_stat_generated(struct scope_trace *trace, int sig,
			  const struct kernel_siginfo *info,
			  struct task_struct *target, int group, int result,
			  bool wanted, u64 now)
{
	struct scope_stat *stat = trace->stat;
	struct ipcscope_stat_cell *cell =
		cell_of(trace, IPCSCOPE_STAT_EVENT(IPCSCOPE_SIGNAL_GENERATE,
						   sig, result), target, NULL);

	if (cell)
		add_one(&cell->untimed);
	if (wanted)
		scope_pending_flush(stat, target, sig);
	if (!ipcscope_stat_queued(result))
		return;
	add_one(&scope_tally_of(stat, sig)->generated);
	if (!wanted)
		scope_count_unpaired(stat, sig, IPCSCOPE_UNPAIRED_UNWANTED, 1);
	else if (result == IPCSCOPE_RESULT_INFO_LOST &&
		 ipcscope_is_realtime(sig))
		scope_count_unpaired(stat, sig, IPCSCOPE_UNPAIRED_NO_INFO, 1);
	else
		scope_pending_add(stat, target, group, sig, info, now);
}

/*
 * A group's exit pairs the signal that ends the process; the first of its threads
 * that finds it.
 */
void scope_stat_taken(struct scope_trace *trace, struct task_struct *task,
		      const struct ipcscope_signal_take *take, u8 how, u64 now)
{
	struct scope_stat *stat = trace->stat;
	u64 generated_ns = take->value;
	struct ipcscope_stat_cell *cell;
	int sig = take->sig;

	if (how == IPCSCOPE_TAKE_GROUP_EXIT && take->group_signal >= 1 &&
	    take->group_signal <= IPCSCOPE_SIGNALS_COUNT) {
		sig = take->group_signal;
		generated_ns = scope_pending_take(stat, sig);
	}
	if (generated_ns)
		add_one(&scope_tally_of(stat, sig)->paired);
	cell = cell_of(trace, IPCSCOPE_STAT_EVENT(IPCSCOPE_SIGNAL_TAKE, sig,
						  how), task, NULL);
	if (!cell)
		return;
	if (generated_ns)
		add_latency(cell, now - generated_ns);
	else
		add_one(&cell->untimed);
}

/* The cell of current's call, which returned `ret`: with its bytes. */
static __always_inline struct ipcscope_stat_cell *
call_cell(struct scope_trace *trace, const struct scope_call *call, int ret)
{
	u32 outcome = ipcscope_stat_call_outcome(call->op, ret);
	struct ipcscope_stat_cell *cell =
		cell_of(trace, IPCSCOPE_STAT_EVENT(call->kind, call->op,
						   outcome), current, call);

	if (cell && outcome == IPCSCOPE_STAT_CALL_OK &&
	    !ipcscope_only_peeks(call->kind, call->flags))
		WRITE_ONCE(cell->bytes, cell->bytes +
			   ipcscope_moved_bytes(ipcscope_sends_whole(call->kind),
						call->op, call->requested, ret));
	return cell;
}

void scope_stat_call(struct scope_trace *trace, const struct scope_call *call,
		     int ret, u64 now)
{
	struct ipcscope_stat_cell *cell = call_cell(trace, call, ret);

	if (cell)
		add_latency(cell, now - call->enter_ns);
}

void scope_stat_call_untimed(struct scope_trace *trace,
			     const struct scope_call *call, int ret)
{
	struct ipcscope_stat_cell *cell = call_cell(trace, call, ret);

	if (cell)
		add_one(&cell->untimed);
}
