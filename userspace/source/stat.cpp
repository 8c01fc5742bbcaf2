// SPDX-License-Identifier: GPL-2.0-only
#include "source/stat.hpp"

#include <algorithm>

namespace ipcscope::source {

void add_cell(StatRow& row, const ipcscope_stat_cell& cell)
{
    row.untimed += cell.untimed;
    row.sum_ns += cell.sum_ns;
    row.bytes += cell.bytes;
    row.max_ns = std::max<std::uint64_t>(row.max_ns, cell.max_ns);
    if (cell.min_inverted != 0) {
        row.min_ns = std::min<std::uint64_t>(row.min_ns, ~cell.min_inverted);
    }
    std::size_t used = IPCSCOPE_STAT_BUCKETS;
    while (used > 0 && cell.buckets[used - 1] == 0) {
        --used;
    }
    if (row.buckets.size() < used) {
        row.buckets.resize(used);
    }
    for (std::size_t i = 0; i < used; ++i) {
        row.buckets[i] += cell.buckets[i];
    }
}

void add_tallies(Stat& stat, const ipcscope_stat_tallies& tallies)
{
    for (std::size_t i = 0; i < stat.signals.size(); ++i) {
        StatSignal& signal = stat.signals[i];
        const ipcscope_stat_tally& tally = tallies.signal[i];
        signal.generated += tally.generated;
        signal.paired += tally.paired;
        for (std::size_t cause = 0; cause < signal.unpaired.size(); ++cause) {
            signal.unpaired[cause] += tally.unpaired[cause];
        }
    }
}

void add_queue(Stat& stat, std::uint64_t key, const ipcscope_stat_queue& queue)
{
    const std::uint64_t number = key >> IPCSCOPE_STAT_OWNER_BITS;
    if (number < 1 || number > stat.signals.size()) {
        return;
    }
    StatSignal& signal = stat.signals[number - 1];
    const std::uint32_t count = std::min<std::uint32_t>(queue.count, IPCSCOPE_STAT_DEPTH);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t generated_ns =
            queue.generated_ns[(queue.head + i) % IPCSCOPE_STAT_DEPTH];
        if (generated_ns > queue.flushed_ns) {
            ++signal.pending;
        } else {
            ++signal.unpaired[IPCSCOPE_UNPAIRED_FLUSHED];
        }
    }
}

}  // namespace ipcscope::source
