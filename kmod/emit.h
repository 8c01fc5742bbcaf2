/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that writes rings, and counts in the ledgers what became of
 * each event.  Any context, NMI included.
 */
#ifndef IPCSCOPE_EMIT_H
#define IPCSCOPE_EMIT_H

#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/irq_work.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/types.h>

#include <ipcscope/record.h>

#include "trace.h"

/* A record that is being written. */
struct scope_out {
	struct scope_ring *ring;
	u64 *to;			/* NULL: it goes on at the ring's begin */
	u64 used;			/* bytes, before it */
	unsigned long flags;
};

void scope_emit_lost(struct scope_ring *ring, u16 kind, u32 cause);
void scope_emit_wrapped(struct scope_trace *trace, struct scope_ring *ring,
			const void *record, u16 size);

/*
 * Bytes that the reader has not taken.  Its position is its own affair: what
 * makes no sense is a full ring.
 */
static inline u64 scope_used_bytes(const struct scope_ring *ring, u64 bytes)
{
	u64 used = READ_ONCE(ring->position) -
		   READ_ONCE(ring->consumer->position);

	return min(used, bytes);
}

static __always_inline void
scope_fill_header(struct ipcscope_header *header,
		  const struct task_struct *task, u64 lost, u16 kind, u16 size,
		  u64 now)
{
	header->time_ns = now;
	header->lost_before = lost;
	header->tgid = task->tgid;
	header->tid = task->pid;
	header->cpu = raw_smp_processor_id();
	header->kind = kind;
	header->size = size;
}

static __always_inline bool
scope_emit_begin(struct scope_trace *trace, struct scope_out *out,
		 const struct task_struct *task, struct ipcscope_header *header,
		 u16 kind, u16 size, u64 now)
{
	u64 bytes = trace->config.ring_bytes;
	struct ipcscope_ledger *ledger;
	struct scope_ring *ring;
	u64 at;

	local_irq_save(out->flags);
	ring = &trace->rings[raw_smp_processor_id()];
	ledger = &ring->cpu->ledger;
	if (unlikely(READ_ONCE(ring->busy))) {
		scope_emit_lost(ring, kind, IPCSCOPE_LOST_RING_BUSY);
		goto lost;
	}
	out->used = scope_used_bytes(ring, bytes);
	if (unlikely(size > bytes - out->used)) {
		scope_emit_lost(ring, kind, IPCSCOPE_LOST_RING_FULL);
		goto lost;
	}
	WRITE_ONCE(ring->busy, true);
	barrier();	/* an NMI sees it before anything is written */
	scope_fill_header(header, task, READ_ONCE(ledger->lost), kind, size,
			  now);
	at = ring->position & (bytes - 1);
	out->ring = ring;
	out->to = bytes - at < size ? NULL : ring->data + at;
	return true;
lost:
	local_irq_restore(out->flags);
	return false;
}

static __always_inline void
scope_emit_end(struct scope_trace *trace, const struct scope_out *out, u16 kind,
	       u16 size)
{
	u64 mark = trace->config.wakeup_bytes;
	struct scope_ring *ring = out->ring;

	atomic64_inc((atomic64_t *)&ring->cpu->ledger.kind[kind].emitted);
	WRITE_ONCE(ring->position, ring->position + size);
	/* Pairs with the reader's acquire: the record is there before it. */
	smp_store_release(&ring->cpu->position, ring->position);
	/* The reader also looks by itself several times a second. */
	if (unlikely(out->used < mark && out->used + size >= mark))
		irq_work_queue(&trace->wakeup);
	barrier();
	WRITE_ONCE(ring->busy, false);
	local_irq_restore(out->flags);
}

/*
 * Fills the header of a record about `task`, but for its flags, and writes it
 * to this CPU's ring; or counts it as lost, and returns false.  A ring is in the
 * order of time where the caller takes `now` and emits with interrupts off.
 */
bool scope_emit(struct scope_trace *trace, const struct task_struct *task,
		struct ipcscope_header *header, u16 kind, u16 size, u64 now);

/* The same, inline, for the records of each call and each signal. */
static __always_inline bool
scope_emit_inline(struct scope_trace *trace, const struct task_struct *task,
		  struct ipcscope_header *header, u16 kind, u16 size, u64 now)
{
	const u64 *from = (const u64 *)header;
	struct scope_out out;
	unsigned int i;
	u64 *to;

	if (!scope_emit_begin(trace, &out, task, header, kind, size, now))
		return false;
	to = out.to;
	if (likely(to)) {
#pragma GCC unroll 48
		for (i = 0; i < size / sizeof(*from); i++)
			to[i] = from[i];
	} else {
		scope_emit_wrapped(trace, out.ring, header, size);
	}
	scope_emit_end(trace, &out, kind, size);
	return true;
}

#define SCOPE_EMIT(trace, task, record, kind, now)			\
({									\
	typeof(record) record_ = (record);				\
									\
	scope_emit(trace, task, &record_->header, kind,			\
		   sizeof(*record_), now);				\
})

#define SCOPE_EMIT_INLINE(trace, task, record, kind, now)		\
({									\
	typeof(record) record_ = (record);				\
									\
	scope_emit_inline(trace, task, &record_->header, kind,		\
			  sizeof(*record_), now);			\
})

/* Where the trace is armed. */
void scope_count_filtered(struct scope_trace *trace, u16 kind);

void scope_count_lost(struct scope_trace *trace, u16 kind, u32 cause);

/* Losses that the kernel counted, without the CPU. */
void scope_count_missed(struct scope_trace *trace, u16 kind, u32 cause,
			u64 count);

/* Whether the reader has enough to do. */
bool scope_worth_reading(struct scope_trace *trace);

#endif /* IPCSCOPE_EMIT_H */
