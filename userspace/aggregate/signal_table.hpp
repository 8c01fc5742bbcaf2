// SPDX-License-Identifier: GPL-2.0-only
// Signal intervals → rows per sender, target, signal and origin.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "aggregate/names.hpp"
#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class SignalTable {
public:
    void add(const correlate::SignalInterval& signal);
    std::vector<SignalRow> rows(const Names& names) const;

private:
    /// Sender's and target's process, signal, origin.  What the kernel or a
    /// timer sends has no sender: whose context it ran in is chance.
    using Key = std::tuple<std::uint32_t, std::uint32_t, unsigned, decode::Origin>;
    std::map<Key, SignalRow> rows_;
};

}  // namespace ipcscope::aggregate
