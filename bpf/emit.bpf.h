/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that reserves and submits records and counts what became of
 * them.  Everything is an atomic add on this CPU's own ledger, so that a hook
 * that interrupts another hook keeps it exact.
 *
 * A record is written once: record_begin() fills its header, the caller every
 * other byte, padding included.
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
	if (phase == IPCSCOPE_PHASE_ARMED)				\
		name##_hook(ctx);					\
	return 0;							\
}									\
static __always_inline void name##_hook(__u64 *ctx)

static __always_inline struct ipcscope_cpu_ledger *ledger_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&ledgers, &cpu);
}

/* The verifier knows no bounds of a kind that comes from memory: that of a call. */
static __always_inline struct ipcscope_tally *
tally_of(struct ipcscope_ledger *ledger, __u32 kind)
{
	_Static_assert(IPCSCOPE_CALL_LAST == 15, "four bits");
	if (!__builtin_constant_p(kind)) {
		asm volatile("" : "+r"(kind));
		kind &= IPCSCOPE_CALL_LAST;
	}
	return &ledger->kind[kind];
}

static __always_inline void count_filtered(__u16 kind)
{
	struct ipcscope_cpu_ledger *slot =
		ledger_of(bpf_get_smp_processor_id());

	if (slot)
		__sync_fetch_and_add(&tally_of(&slot->ledger, kind)->filtered,
				     1);
}

static __always_inline void count_lost(__u16 kind, __u32 cause)
{
	struct ipcscope_cpu_ledger *slot =
		ledger_of(bpf_get_smp_processor_id());

	if (!slot || cause >= IPCSCOPE_LOST_COUNT)
		return;
	__sync_fetch_and_add(&tally_of(&slot->ledger, kind)->lost[cause], 1);
	__sync_fetch_and_add(&slot->ledger.lost, 1);
}

/* This CPU's, from a record's begin to its end. */
struct record_out {
	struct ipcscope_cpu_ledger *slot;
};

static __always_inline __u64 thread_id(__u32 tgid, __u32 tid)
{
	return (__u64)tgid << 32 | tid;
}

/*
 * Reserves a record of `size` bytes (a constant) about thread `id` and fills its
 * header.  NULL: counted as lost.  Only a full ring makes a reserve fail: the
 * ring's lock is never tried from an NMI, in which no hook runs.
 */
static __always_inline void *record_begin(struct record_out *out, __u16 kind,
					  __u16 size, __u16 flags, __u64 now,
					  __u64 id)
{
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	struct ipcscope_header *header;
	struct ipcscope_ledger *ledger;
	struct ipcscope_tally *tally;

	out->slot = ledger_of(cpu);
	if (!out->slot || !ring)
		return NULL;
	ledger = &out->slot->ledger;
	tally = tally_of(ledger, kind);
	header = bpf_ringbuf_reserve(ring, size, 0);
	if (!header) {
		__sync_fetch_and_add(&tally->lost[IPCSCOPE_LOST_RING_FULL], 1);
		__sync_fetch_and_add(&ledger->lost, 1);
		return NULL;
	}
	__sync_fetch_and_add(&tally->emitted, 1);
	header->time_ns = now;
	header->lost_before = ledger->lost;
	header->tgid = id >> 32;
	header->tid = id;
	header->cpu = cpu;
	header->kind = kind;
	header->size = size;
	header->flags = flags;
	return header;
}

/*
 * Wakes the collector each time that so much has been written: it also looks by
 * itself several times a second, so a count that an interrupt spoils does no harm.
 */
static __always_inline void record_end(struct record_out *out, void *record,
				       __u16 size)
{
	__u64 written = out->slot->written_bytes + size + BPF_RINGBUF_HDR_SZ;
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (written >= config.wakeup_bytes) {
		written = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	out->slot->written_bytes = written;
	bpf_ringbuf_submit(record, flags);
}

#endif /* IPCSCOPE_EMIT_BPF_H */
