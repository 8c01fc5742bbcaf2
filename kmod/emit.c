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
#include "trace.h"

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
	add(&this_ledger(trace)->kind[kind].filtered, 1);
}

void scope_count_missed(struct scope_trace *trace, u16 kind, u32 cause,
			u64 count)
{
	if (count)
		count_lost(&trace->rings[0].cpu->ledger, kind, cause, count);
}

/*
 * Bytes that the reader has not taken.  Its position is its own affair: what
 * makes no sense is a full ring.
 */
static u64 used_bytes(const struct scope_ring *ring, u64 bytes)
{
	u64 used = READ_ONCE(ring->position) -
		   READ_ONCE(ring->consumer->position);

	return min(used, bytes);
}

static void copy_in(struct scope_ring *ring, u64 bytes, const void *record,
		    u16 size)
{
	u64 at = ring->position & (bytes - 1);
	u64 first = min_t(u64, size, bytes - at);

	memcpy(ring->data + at, record, first);
	memcpy(ring->data, record + first, size - first);
}

static void fill_header(struct ipcscope_header *header, u64 lost, u16 kind,
			u16 size)
{
	header->time_ns = ktime_get_mono_fast_ns();
	header->lost_before = lost;
	header->tgid = current->tgid;
	header->tid = current->pid;
	header->cpu = smp_processor_id();
	header->kind = kind;
	header->size = size;
	strscpy_pad(header->comm, current->comm, sizeof(header->comm));
}

static void write_record(struct scope_trace *trace, struct scope_ring *ring,
			 struct ipcscope_header *header, u16 kind, u16 size)
{
	struct ipcscope_ledger *ledger = &ring->cpu->ledger;
	u64 bytes = trace->config.ring_bytes;
	u64 mark = trace->config.wakeup_bytes;
	u64 used = used_bytes(ring, bytes);

	if (size > bytes - used) {
		count_lost(ledger, kind, IPCSCOPE_LOST_RING_FULL, 1);
		return;
	}
	fill_header(header, READ_ONCE(ledger->lost), kind, size);
	copy_in(ring, bytes, header, size);
	WRITE_ONCE(ring->position, ring->position + size);
	add(&ledger->kind[kind].emitted, 1);
	/* Pairs with the reader's acquire: the record is there before it. */
	smp_store_release(&ring->cpu->position, ring->position);
	/* The reader also looks by itself several times a second. */
	if (used < mark && used + size >= mark)
		irq_work_queue(&trace->wakeup);
}

void scope_emit(struct scope_trace *trace, struct ipcscope_header *header,
		u16 kind, u16 size)
{
	struct scope_ring *ring;
	unsigned long flags;

	local_irq_save(flags);
	ring = &trace->rings[smp_processor_id()];
	if (READ_ONCE(ring->busy)) {
		count_lost(&ring->cpu->ledger, kind, IPCSCOPE_LOST_RING_BUSY,
			   1);
	} else {
		WRITE_ONCE(ring->busy, true);
		barrier();	/* an NMI sees it before anything is written */
		write_record(trace, ring, header, kind, size);
		barrier();
		WRITE_ONCE(ring->busy, false);
	}
	local_irq_restore(flags);
}

bool scope_worth_reading(struct scope_trace *trace)
{
	unsigned int cpu;

	for (cpu = 0; cpu < trace->cpus; cpu++)
		if (used_bytes(&trace->rings[cpu], trace->config.ring_bytes) >=
		    trace->config.wakeup_bytes)
			return true;
	return false;
}
