// SPDX-License-Identifier: GPL-2.0-only
// What a thread waited for inside its calls, as stretches of time.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aggregate/call_sleeps.hpp"
#include "decode/event.hpp"

namespace ipcscope::exports {

struct Wait {
    decode::State state{};
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint32_t waker_tid = 0;   ///< 0: not known
    bool in_call = false;
};

/// Feed it every slice and every call, in order.
class CallWaits {
public:
    /// False: the slice is of no call, or of a time that is none.
    bool note(const decode::Event& event, const decode::Slice& slice);
    /// Those of the call, by their beginning, none beyond it; before them those of a call that
    /// has no record, because it had begun before the trace.
    std::vector<Wait> of(const decode::Event& event, const decode::Call& call);
    /// What is left of such a call, as the thread or the trace ends.
    std::vector<Wait> rest(std::uint32_t tid);

private:
    struct Thread {
        std::vector<aggregate::Sleep> sleeps;   ///< in S
        std::vector<Wait> others;
    };
    Thread take(std::uint32_t tid);

    std::unordered_map<std::uint32_t, Thread> threads_;   ///< that are inside a call
};

/// "data", "room", "a reader", "a writer": what a call on a channel waits for; "": another.
std::string_view waits_for(const decode::Call& call);

}  // namespace ipcscope::exports
