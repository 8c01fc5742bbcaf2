// SPDX-License-Identifier: GPL-2.0-only
// Signal intervals → rows per sender, target, signal and origin.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/coverage.hpp"
#include "aggregate/mask_table.hpp"
#include "aggregate/report.hpp"
#include "aggregate/stay_table.hpp"

namespace ipcscope::aggregate {

class SignalTable {
public:
    SignalTable(const StayTable& stays, const MaskTable& masks) : stays_(stays), masks_(masks) {}
    void add(const correlate::SignalInterval& signal);

    /// What became of a signal to a process that was not traced is not known: its
    /// unmatched ends are counted as End::outside.
    std::vector<SignalRow> rows(const Coverage& coverage) const;
    std::uint64_t evicted() const { return rows_.evicted(); }

private:
    /// Processes by number and name, as they were then.  What the kernel or a timer
    /// sends has no sender: in whose context it ran is chance.
    struct Key {
        Task sender;
        Task target;
        unsigned signal = 0;
        decode::Origin origin{};
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const;
    };
    void note_wait(SignalRow& row, const correlate::SignalInterval& signal) const;

    const StayTable& stays_;
    const MaskTable& masks_;
    BoundedMap<Key, SignalRow, Hash> rows_{kMostSignals};
};

}  // namespace ipcscope::aggregate
