// SPDX-License-Identifier: GPL-2.0-only
// Whether a heartbeat still beats.
#pragma once

#include <cstdint>

namespace ipcscope::source::kmod {

/// A heart that has stood still for kDeadNs, and at each of kLooks looks since,
/// is dead.  Both, because a reader that was stopped itself has not looked.
class Pulse {
public:
    static constexpr std::uint64_t kDeadNs = 1'500'000'000;
    static constexpr unsigned kLooks = 5;

    bool beats(std::uint64_t heartbeat_ns, std::uint64_t now_ns)
    {
        if (heartbeat_ns != last_ns_ || since_ns_ == 0) {
            last_ns_ = heartbeat_ns;
            since_ns_ = now_ns;
            looks_ = 0;
            return true;
        }
        looks_++;
        return looks_ < kLooks || now_ns - since_ns_ < kDeadNs;
    }

private:
    std::uint64_t last_ns_ = 0;
    std::uint64_t since_ns_ = 0;
    unsigned looks_ = 0;
};

}  // namespace ipcscope::source::kmod
