// SPDX-License-Identifier: GPL-2.0-only
// Which processes there were: whose child, since when, until when.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class LifeTable {
public:
    void thread(const decode::Event& event, const decode::Thread& thread);
    void time(const decode::Event& event, const decode::ThreadTime& time);

    const LifeRow* find(std::uint32_t tgid) const { return lives_.find(tgid); }
    std::vector<LifeRow> rows() const;   ///< by process number
    std::uint64_t evicted() const { return lives_.evicted(); }

private:
    BoundedMap<std::uint32_t, LifeRow> lives_{kMostLives};
};

}  // namespace ipcscope::aggregate
