/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that reserves and submits records and counts what became of
 * them.  Everything is an atomic add on this CPU's own ledger, so that a hook
 * that interrupts another hook keeps it exact.
 */
#ifndef IPCSCOPE_EMIT_BPF_H
#define IPCSCOPE_EMIT_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"

/* A program: HOOK("fentry", name) { … uses ctx, returns nothing … } */
#define HOOK(section, name)						\
static __always_inline void name##_hook(__u64 *ctx);			\
SEC(section)								\
int name(__u64 *ctx)							\
{									\
	if (!stopped)							\
		name##_hook(ctx);					\
	return 0;							\
}									\
static __always_inline void name##_hook(__u64 *ctx)

static __always_inline struct ipcscope_ledger *this_ledger(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledgers, &zero);
}

static __always_inline void count_filtered(__u16 kind)
{
	struct ipcscope_ledger *ledger = this_ledger();

	if (ledger && kind < IPCSCOPE_KIND_COUNT)
		__sync_fetch_and_add(&ledger->kind[kind].filtered, 1);
}

static __always_inline void count_lost(__u16 kind, __u32 cause)
{
	struct ipcscope_ledger *ledger = this_ledger();

	if (!ledger || kind >= IPCSCOPE_KIND_COUNT ||
	    cause >= IPCSCOPE_LOST_COUNT)
		return;
	__sync_fetch_and_add(&ledger->kind[kind].lost[cause], 1);
	__sync_fetch_and_add(&ledger->lost, 1);
}

/* The kernel never fills a ring to its last byte. */
static __always_inline bool ring_has_room(void *ring, __u16 size)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + size +
	       BPF_RINGBUF_HDR_SZ < bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);
}

/*
 * Reserves a record of `size` bytes (a constant), all zero but for its
 * header.  NULL: counted as lost.
 */
static __always_inline void *record_begin(__u16 kind, __u16 size)
{
	struct ipcscope_ledger *ledger = this_ledger();
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	__u64 id = bpf_get_current_pid_tgid();
	struct ipcscope_header *header;
	__u64 now = bpf_ktime_get_ns();

	if (!ledger || !ring || kind >= IPCSCOPE_KIND_COUNT)
		return NULL;
	header = bpf_ringbuf_reserve(ring, size, 0);
	/* It does not say why it failed.  The reader may have come meanwhile. */
	if (!header && ring_has_room(ring, size))
		header = bpf_ringbuf_reserve(ring, size, 0);
	if (!header) {
		count_lost(kind, ring_has_room(ring, size) ?
					 IPCSCOPE_LOST_RING_BUSY :
					 IPCSCOPE_LOST_RING_FULL);
		return NULL;
	}
	__sync_fetch_and_add(&ledger->kind[kind].emitted, 1);
	__builtin_memset(header, 0, size);
	header->time_ns = now;
	header->lost_before = ledger->lost;
	header->tgid = id >> 32;
	header->tid = id;
	header->cpu = cpu;
	header->kind = kind;
	header->size = size;
	bpf_get_current_comm(header->comm, sizeof(header->comm));
	return header;
}

#define RECORD_BEGIN(type, kind) \
	((struct type *)record_begin(kind, sizeof(struct type)))

/*
 * Wakes the collector only as the ring's fill passes the mark: it also looks
 * by itself several times a second.
 */
static __always_inline void record_end(void *record, __u16 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (ring) {
		__u64 used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);

		if (used >= config.wakeup_bytes &&
		    used < (__u64)config.wakeup_bytes + size +
			   BPF_RINGBUF_HDR_SZ)
			flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(record, flags);
}

#define RECORD_END(record) record_end(record, sizeof(*(record)))

#endif /* IPCSCOPE_EMIT_BPF_H */
