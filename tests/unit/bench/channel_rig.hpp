// SPDX-License-Identifier: GPL-2.0-only
// Runs a channel in a child process, so that a mechanism that hangs, leaks
// or leaves something behind is seen and ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/channel.hpp"

namespace ipcscope::bench::rig {

enum class Layout {
    round_trip,     ///< there and back
    one_thread,     ///< a sends, b receives, one thread does both
    one_direction,  ///< all sent by a, all received by b, no answers
};

struct Trial {
    const Mechanism& mechanism;
    std::size_t bytes = 0;
    std::uint64_t messages = 101;
    Layout layout = Layout::round_trip;
    WaitMode waiting = WaitMode::block;
    bool threads = false;
    unsigned producers = 1;
    unsigned consumers = 1;
};

struct Verdict {
    std::string failed;    ///< one line; empty where all went well
    std::string refused;   ///< what create() error_text: a limit of this machine
};

/// Every byte of every message is compared.  Afterwards: nothing in the channel,
/// no descriptor more than before, no name.
Verdict run(const Trial& trial);

std::string describe(const Trial& trial);

/// Sizes to try: 1, 7, 64, 4096, 65536 and the largest; 0 where none has bytes.
std::vector<std::size_t> sizes(const Mechanism& mechanism);

/// Runs `body` in a child with a new directory as TMPDIR and, if that
/// is permitted, in a new IPC namespace; 60 s at most.
/// @return what `body` returned or why it did not, or what was left behind
std::string in_child(const std::function<std::string()>& body);

}  // namespace ipcscope::bench::rig
