/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that writes rings, and counts in the ledgers what became of
 * each event.  Any context, NMI included.
 */
#ifndef IPCSCOPE_EMIT_H
#define IPCSCOPE_EMIT_H

#include <linux/types.h>

#include <ipcscope/record.h>

struct scope_trace;

/*
 * Fills the header of a record that is zero but for its body, and writes it to
 * this CPU's ring; or counts it as lost.
 */
void scope_emit(struct scope_trace *trace, struct ipcscope_header *header,
		u16 kind, u16 size);

#define SCOPE_EMIT(trace, record, kind)					\
do {									\
	typeof(record) record_ = (record);				\
									\
	scope_emit(trace, &record_->header, kind, sizeof(*record_));	\
} while (0)

void scope_count_filtered(struct scope_trace *trace, u16 kind);

/* Losses that the kernel counted for us, without telling on which CPU. */
void scope_count_missed(struct scope_trace *trace, u16 kind, u32 cause,
			u64 count);

/* Whether the reader has enough to do. */
bool scope_worth_reading(struct scope_trace *trace);

#endif /* IPCSCOPE_EMIT_H */
