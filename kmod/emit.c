// SPDX-License-Identifier: GPL-2.0-only
/*
 * One producer a CPU: a record is written with interrupts off, so that only an
 * NMI can come between; it finds the ring busy, and its record is lost by that
 * cause.  Ledgers are added to atomically for the same reason.
 */
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "emit.h"

static void add(__u64 *count, u64 n)
{
	atomic64_add(n, (atomic64_t *)count);
}

static struct ipcscope_ledger *this_ledger(struct scope_trace *trace)
{
	return &trace->rings[raw_smp_processor_id()].cpu->ledger;
}

static void count_lost(struct ipcscope_ledger *ledger, u16 kind, u32 cause,
		       u64 n)
{
	add(&ledger->kind[kind].lost[cause], n);
	add(&ledger->lost, n);
}

void scope_count_filtered(struct scope_trace *trace, u16 kind)
{
	if (!scope_armed(trace, ktime_get_mono_fast_ns()))
		return;
	add(&this_ledger(trace)->kind[kind].filtered, 1);
}

void scope_count_lost(struct scope_trace *trace, u16 kind, u32 cause)
{
	count_lost(this_ledger(trace), kind, cause, 1);
}

void scope_count_missed(struct scope_trace *trace, u16 kind, u32 cause,
			u64 count)
{
	if (count)
		count_lost(&trace->rings[0].cpu->ledger, kind, cause, count);
}

/* Sizes and positions are whole words: a record is a few of them. */
void scope_emit_wrapped(struct scope_trace *trace, struct scope_ring *ring,
			const void *record, u16 size)
{
	u64 bytes = trace->config.ring_bytes;
	u64 at = ring->position & (bytes - 1);
	u64 first = bytes - at;

	memcpy(ring->data + at, record, first);
	memcpy(ring->data, record + first, size - first);
}

bool scope_emit(struct scope_trace *trace, const struct task_struct *task,
		struct ipcscope_header *header, u16 kind, u16 size, u64 now)
{
	struct scope_out out;

	if (!scope_emit_begin(trace, &out, task, header, kind, size, now))
		return false;
	if (likely(out.to))
		memcpy(out.to, header, size);
	else
		scope_emit_wrapped(trace, out.ring, header, size);
	scope_emit_end(trace, &out, kind, size);
	return true;
}

void scope_emit_lost(struct scope_ring *ring, u16 kind, u32 cause)
{
	count_lost(&ring->cpu->ledger, kind, cause, 1);
}

bool scope_worth_reading(struct scope_trace *trace)
{
	unsigned int cpu;

	for (cpu = 0; cpu < trace->cpus; cpu++)
		if (scope_used_bytes(&trace->rings[cpu], trace->config.ring_bytes) >=
		    trace->config.wakeup_bytes)
			return true;
	return false;
}
