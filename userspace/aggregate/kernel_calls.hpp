// SPDX-License-Identifier: GPL-2.0-only
// How long the kernel's own functions take.
#pragma once

#include <vector>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class KernelCalls {
public:
    void generate(const decode::Event& event, const decode::SignalGenerate& body);
    void take(const decode::Event& event, const decode::SignalTake& body);
    /// Those that were called.
    std::vector<CallRow> rows() const;

private:
    static void add(CallRow& row, std::uint64_t from_ns, std::uint64_t to_ns);

    CallRow send_{KernelFunction::send, 0, {}};
    CallRow get_signal_{KernelFunction::get_signal, 0, {}};
};

}  // namespace ipcscope::aggregate
