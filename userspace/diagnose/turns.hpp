// SPDX-License-Identifier: GPL-2.0-only
// Processes that data goes around in, as request and answer: they take turns, and none of them
// is slow for the others.
#pragma once

#include <cstdint>
#include <map>

#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

class Turns {
public:
    explicit Turns(const aggregate::Report& report);

    bool taken_by(Pid a, Pid b) const;

private:
    std::map<std::uint64_t, std::uint64_t> group_;   ///< by process
};

}  // namespace ipcscope::diagnose
