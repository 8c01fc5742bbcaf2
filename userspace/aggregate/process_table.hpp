// SPDX-License-Identifier: GPL-2.0-only
// Where the time of each traced process went.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/report.hpp"
#include "aggregate/time_ledger.hpp"

namespace ipcscope::aggregate {

class ProcessTable {
public:
    void add(const decode::Event& event, const TimeLedger::Entry& entry);
    void slice(const decode::Event& event, const decode::Slice& slice);
    std::vector<ProcessRow> rows() const;
    std::uint64_t evicted() const { return rows_.evicted(); }

private:
    BoundedMap<std::uint32_t, ProcessRow> rows_{kMostProcesses};
};

}  // namespace ipcscope::aggregate
