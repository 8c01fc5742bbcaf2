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

/// One end with its messages: stamps what it sends.  P is Port, or the class of a
/// port, whose calls are then inlined.
template <typename P>
class SenderOf {
public:
    SenderOf(P& port, const Job& job, End end)
        : port_(port), corrupt_(job.corrupt_number), stamp_(job.what.message_bytes),
          message_(stamp_.bytes()),
          witness_(job.shared.witness[static_cast<unsigned>(end)].value)
    {
        stamp_.fill(message_.span());
    }

    /// Makes the next message ready: where time counts, while nobody waits for it.
    void stage(std::uint64_t number)
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

    /// Sends what is ready.
    int send()
    {
        if (message_.empty()) {
            witness_.store(number_, std::memory_order_release);
        }
        return port_.send(message_.span());
    }

private:
    P& port_;
    std::uint64_t number_ = 0;
    std::uint64_t corrupt_;
    Stamp stamp_;
    Buffer message_;
    std::atomic<std::uint64_t>& witness_;
};

/// The same: checks what it receives.
template <typename P>
class ReceiverOf {
public:
    ReceiverOf(P& port, const Job& job, End end)
        : port_(port), stamp_(job.what.message_bytes), message_(stamp_.bytes()),
          witness_(job.shared.witness[static_cast<unsigned>(other(end))].value)
    {
    }

    /// A message; checks at once only what does not stay: the number beside it.
    int take(std::uint64_t number)
    {
        if (const int error = port_.receive(message_.span())) {
            return error;
        }
        return message_.empty() && witness_.load(std::memory_order_acquire) != number ? EBADMSG
                                                                                      : 0;
    }

    /// Whether what was taken last is the message with that number.
    int check(std::uint64_t number) const
    {
        return message_.empty() || stamp_.matches(message_.span(), number) ? 0 : EBADMSG;
    }

    int receive(std::uint64_t number)
    {
        const int error = take(number);
        return error ? error : check(number);
    }

    /// Any message that is whole in itself.
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
    std::atomic<std::uint64_t>& witness_;
};

using Sender = SenderOf<Port>;
using Receiver = ReceiverOf<Port>;

}  // namespace ipcscope::bench
