// SPDX-License-Identifier: GPL-2.0-only
// Of which processes a trace has all records.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/event.hpp"
#include "source/source.hpp"

namespace ipcscope::aggregate {

/// A trace with filters, or of a command, says nothing of what other processes did.
/// A traced thread has a record of its own, at the latest that of its exit or of the
/// trace's end: so the records prove which processes were traced.
class Coverage {
public:
    void host(const source::Host& host);
    void note(const decode::Event& event);

    /// False: what the process did, or did not do, is not in the trace.
    bool covers(std::uint32_t tgid) const;
    /// Only some processes are traced.
    bool restricted() const { return restricted_; }

private:
    bool restricted_ = false;
    bool by_thread_ = false;      ///< a process may be traced in part
    std::vector<bool> traced_;    ///< by tgid
};

}  // namespace ipcscope::aggregate
