// SPDX-License-Identifier: GPL-2.0-only
// Calls on Unix-domain sockets → what was sent at one end and received at the other; who
// holds which socket, and what its address is.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/report.hpp"
#include "correlate/loss_clock.hpp"

namespace ipcscope::aggregate {

/// Matches sends with receives: a stream's by the position of their bytes, messages by
/// their order.  Both are counted from an instant at which nothing was queued, which a send
/// says of its own socket.  Records come in the order in which calls returned, so a receive
/// may come before the send of what it took.
class SocketTable {
public:
    void call(const decode::Event& event, const decode::Call& call);
    /// Comes before the call by which it was received.
    void received(const decode::Event& event, const decode::FdReceived& file);
    void holder(const decode::Event& event, const decode::Holder& holder);

    /// Pairs on which something was sent.
    std::vector<SocketRow> rows() const;
    /// What the socket was last seen connected to; 0: not known.
    std::uint64_t peer(std::uint64_t object) const;
    /// Fills in the sockets of rows about them.
    void describe(std::vector<ObjectRow>& objects) const;
    std::uint64_t evicted() const { return flows_.evicted(); }

    static constexpr std::size_t kMostQueued = 512;   ///< sends, or receives, of a flow

private:
    using Files = std::vector<decode::FdReceived>;

    struct Sent {
        std::uint64_t enter_ns = 0;
        std::uint64_t exit_ns = 0;
        std::uint64_t left = 0;        ///< bytes, or 1 message
        std::uint64_t bytes = 0;
        std::uint32_t fds = 0;
        std::uint32_t tid = 0;
        Task process;
        bool begun = false;            ///< a part was taken
    };
    struct Taken {
        std::uint64_t enter_ns = 0;
        std::uint64_t exit_ns = 0;
        std::uint64_t left = 0;
        std::uint32_t fds = 0;
        std::uint32_t waker_tid = 0;   ///< 0: it did not sleep
        std::uint32_t woken_before_ns = 0;
        Task process;
        Files files;
    };
    /// What one socket sends.
    struct Flow {
        SocketRow row;
        std::deque<Sent> sent;         ///< not yet taken
        std::deque<Taken> taken;       ///< of which the send is to come
        std::uint64_t since_ns = 0;    ///< step was found again: nothing was queued then
        std::uint64_t gap_ns = 0;      ///< as step was found: the last loss of records
        std::uint64_t last_send_ns = 0;
        std::uint64_t last_receive_ns = 0;
        bool begun = false;
        bool in_step = false;          ///< what is taken next is known
    };
    struct Known {
        std::uint64_t peer = 0;
        std::uint8_t type = 0;
        SafeText address;
        std::vector<Task> holders;
    };

    void send(const decode::Event& event, const decode::Call& call);
    void receive(const decode::Event& event, const decode::Call& call, Files files);
    Files take_files(std::uint32_t tid);
    void match(Flow& flow);
    static void take(Flow& flow, Sent& sent, Taken& taken);
    void lose_step(Flow& flow);
    Known& know(std::uint64_t object, std::uint8_t type);
    SocketEnd end(std::uint64_t object) const;

    BoundedMap<std::uint64_t, Flow> flows_{kMostFlows};   ///< by the sending socket
    BoundedMap<std::uint64_t, Known> known_{kMostKnown};
    BoundedMap<std::uint32_t, Files> files_{kMostReceiving};   ///< by thread, of its receive
    correlate::LossClock losses_;
    static constexpr std::size_t kMostFlows = 2048;
    static constexpr std::size_t kMostKnown = 1u << 16;
    static constexpr std::size_t kMostReceiving = 1024;   ///< threads, each in one receive
};

}  // namespace ipcscope::aggregate
