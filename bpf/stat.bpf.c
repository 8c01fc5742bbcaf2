// SPDX-License-Identifier: GPL-2.0-only
/* The maps of `ipcscope stat`; only its object has them. */
#include "pending.bpf.h"

struct stat_cells_map stat_cells SEC(".maps");
struct stat_rows_map stat_rows SEC(".maps");
struct stat_free_map stat_free SEC(".maps");
struct stat_tallies_map stat_tallies SEC(".maps");
struct buckets_map stat_buckets SEC(".maps");
struct stat_queues_map stat_queues SEC(".maps");

__u32 stat_index[IPCSCOPE_STAT_EVENTS] SEC(".data.index") = {};
