// SPDX-License-Identifier: GPL-2.0-only
// Calls of pipes' reads and writes → rows per pipe.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "aggregate/busy_time.hpp"
#include "aggregate/names.hpp"
#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

/// When a call slept, as far as its sums tell: it is taken to have slept once,
/// to have waited for a CPU then, and to have returned.  A call that slept more
/// often, or copied for long, is off by the rest of its duration; for one caller
/// at a time the sum is exact all the same.
struct Span {
    std::uint64_t start_ns;
    std::uint64_t end_ns;
};
Span blocked_span(const decode::Event& event, const decode::PipeOp& call);

class PipeTable {
public:
    void call(const decode::Event& event, const decode::PipeOp& call);
    void end(const decode::Event& event, const decode::PipeEnd& end);
    std::vector<PipeRow> rows(const Names& names) const;

private:
    /// Device and inode.  A pipe's inode number comes from a 32-bit counter of
    /// the kernel and is not reused in a trace's time; a FIFO's may be, after it
    /// was unlinked, and then the two share a row.
    using Key = std::pair<std::uint32_t, std::uint64_t>;
    struct Pipe {
        PipeRow row;
        BusyTime full;
        BusyTime empty;
        std::map<std::uint32_t, PipeEndRow> readers;   ///< by process
        std::map<std::uint32_t, PipeEndRow> writers;
    };
    Pipe& pipe(std::uint32_t dev, std::uint64_t inode);

    std::map<Key, Pipe> pipes_;
};

}  // namespace ipcscope::aggregate
