// SPDX-License-Identifier: GPL-2.0-only
// The processes that a command has started, and those have: to end them with it.
#pragma once

#include <vector>

#include "base/fd.hpp"

namespace ipcscope::cli {

class Descendants {
public:
    /// Adds those that `pid` has now, by /proc/PID/task/TID/children.  What was orphaned
    /// before, as a daemon is, is none.
    void find(int pid);
    void send(int signal) const;
    /// Those that have ended are forgotten.
    bool any_left();

private:
    std::vector<Fd> pidfds_;   ///< so that no other process gets the signal
};

}  // namespace ipcscope::cli
