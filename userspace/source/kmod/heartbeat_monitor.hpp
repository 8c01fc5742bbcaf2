// SPDX-License-Identifier: GPL-2.0-only
// Detects that the module's heartbeat has stopped.
#pragma once

#include <cstdint>

namespace ipcscope::source::kmod {

/// The module is dead if its heartbeat has not changed for kTimeoutNs and in
/// kMinChecks checks.  The count is needed because a reader that was stopped itself
/// has made no checks in that time.
class HeartbeatMonitor {
public:
    static constexpr std::uint64_t kTimeoutNs = 1'500'000'000;
    static constexpr unsigned kMinChecks = 5;

    /// @return false once the heartbeat has timed out
    bool alive(std::uint64_t heartbeat_ns, std::uint64_t now_ns)
    {
        if (heartbeat_ns != last_heartbeat_ns_ || unchanged_since_ns_ == 0) {
            last_heartbeat_ns_ = heartbeat_ns;
            unchanged_since_ns_ = now_ns;
            checks_ = 0;
            return true;
        }
        checks_++;
        return checks_ < kMinChecks || now_ns - unchanged_since_ns_ < kTimeoutNs;
    }

private:
    std::uint64_t last_heartbeat_ns_ = 0;
    std::uint64_t unchanged_since_ns_ = 0;
    unsigned checks_ = 0;
};

}  // namespace ipcscope::source::kmod
