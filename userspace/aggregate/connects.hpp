// SPDX-License-Identifier: GPL-2.0-only
// connect() calls that waited for room in a backlog → the listening socket whose it was.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// The record of a connect() has no peer.  One that waited was woken inside an accept() of
/// its waker, which is on the listening socket.  Either record may come first.
class Connects {
public:
    /// Those that are known now, with the listening socket as the peer: this one, or none.
    std::vector<decode::Event> connect(const decode::Event& event, const decode::Call& call);
    /// The same: those that its thread woke in it.
    std::vector<decode::Event> accept(const decode::Event& event, const decode::Call& call);

private:
    struct Accept {
        std::uint64_t listener = 0;
        std::uint64_t enter_ns = 0;
        std::uint64_t exit_ns = 0;
        bool covers(std::uint64_t time_ns) const
        {
            return listener != 0 && enter_ns <= time_ns && time_ns <= exit_ns;
        }
    };
    struct Acceptor {
        Accept last;
        std::vector<decode::Event> woken;   ///< of which the accept is to come
    };
    BoundedMap<std::uint32_t, Acceptor> acceptors_{kMostAcceptors};   ///< by thread
    static constexpr std::size_t kMostAcceptors = 4096;
    static constexpr std::size_t kMostWoken = 64;
};

}  // namespace ipcscope::aggregate
