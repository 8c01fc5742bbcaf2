// SPDX-License-Identifier: GPL-2.0-only
// What `ipcscope stat` adds to the tracer: the sizes of its maps, and the free rows.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include "config.h"
#include "source/bpf/tracer.hpp"

namespace ipcscope::source::bpf {

int Tracer::map_fd(const char* name) const
{
    const bpf_map* found = map(name);
    return found ? bpf_map__fd(found) : -1;
}

void Tracer::configure_stat(ipcscope_config& config, const StatOptions& stat) const
{
    const auto cpus = static_cast<__u32>(rings_.size());
    const __u32 buckets = std::bit_ceil(std::max(stat.max_pending / IPCSCOPE_BUCKET_SLOTS, 1u));
    config.stat_by = static_cast<__u8>(stat.by);
    config.stat_rows = stat.max_rows;
    config.stat_bucket_mask = buckets - 1;
    bpf_map__set_max_entries(map("stat_cells"), cpus * stat.max_rows);
    bpf_map__set_max_entries(map("stat_rows"), stat.max_rows);
    bpf_map__set_max_entries(map("stat_free"), stat.max_rows);
    bpf_map__set_max_entries(map("stat_tallies"), cpus);
    bpf_map__set_max_entries(map("stat_buckets"), buckets);
    bpf_map__set_max_entries(map("stat_queues"), buckets * IPCSCOPE_BUCKET_SLOTS);
}

Result<void> Tracer::fill_free_rows(std::uint32_t rows) const
{
    for (__u32 row = 1; row <= rows; ++row) {
        if (bpf_map_update_elem(map_fd("stat_free"), nullptr, &row, BPF_ANY) != 0) {
            return fail(Exit::kernel, fmt::format("row {} of the table cannot be made: {}", row,
                                                  std::strerror(errno)));
        }
    }
    return {};
}

}  // namespace ipcscope::source::bpf
