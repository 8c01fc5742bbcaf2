// SPDX-License-Identifier: GPL-2.0-only
// A worker's two ends of a channel: what is sent is stamped, what is received is
// checked.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "bench/channel.hpp"
#include "bench/message.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// Sends stamped messages through a port.  P is Port, or the port's own class, whose
/// calls are then inlined.
template <typename P>
class SenderOf {
public:
    SenderOf(P& port, const Job& job, End end)
        : port_(port), corrupt_(job.corrupt_number), stamp_(job.what.message_bytes),
          message_(stamp_.bytes()),
          last_number_(job.shared.last_number[static_cast<unsigned>(end)].value)
    {
        stamp_.fill(message_.span());
    }

    /// Prepares the next message.  Called outside of the measured path: while no
    /// receiver waits for the message.
    void prepare(std::uint64_t number)
    {
        number_ = number;
        if (message_.empty()) {
            number_ += number == corrupt_;
            return;
        }
        stamp_.write(message_.span(), number);
        if (number == corrupt_) {
            message_.data()[message_.size() / 2] ^= std::byte{0x10};
        }
    }

    /// Sends the prepared message.
    int send()
    {
        if (message_.empty()) {
            last_number_.store(number_, std::memory_order_release);
        }
        return port_.send(message_.span());
    }

private:
    P& port_;
    std::uint64_t number_ = 0;
    std::uint64_t corrupt_;
    Stamp stamp_;
    Buffer message_;
    std::atomic<std::uint64_t>& last_number_;
};

/// Receives messages from a port and checks them.
template <typename P>
class ReceiverOf {
public:
    ReceiverOf(P& port, const Job& job, End end)
        : port_(port), stamp_(job.what.message_bytes), message_(stamp_.bytes()),
          last_number_(job.shared.last_number[static_cast<unsigned>(other(end))].value)
    {
    }

    /// Receives a message and checks at once only the number that is sent beside it,
    /// which the next message overwrites.
    int receive_unchecked(std::uint64_t number)
    {
        if (const int error = port_.receive(message_.span())) {
            return error;
        }
        return message_.empty() && last_number_.load(std::memory_order_acquire) != number
                   ? EBADMSG
                   : 0;
    }

    /// Whether the message received last has that number.  @return 0 or EBADMSG
    int check(std::uint64_t number) const
    {
        return message_.empty() || stamp_.matches(message_.span(), number) ? 0 : EBADMSG;
    }

    int receive(std::uint64_t number)
    {
        const int error = receive_unchecked(number);
        return error ? error : check(number);
    }

    /// Receives a message with any number and checks its content.
    int receive_any(std::uint64_t& number)
    {
        if (const int error = port_.receive(message_.span())) {
            return error;
        }
        number = Stamp::number(message_.span());
        return message_.empty() || stamp_.matches(message_.span(), number) ? 0 : EBADMSG;
    }

private:
    P& port_;
    Stamp stamp_;
    Buffer message_;
    std::atomic<std::uint64_t>& last_number_;
};

using Sender = SenderOf<Port>;
using Receiver = ReceiverOf<Port>;

}  // namespace ipcscope::bench
