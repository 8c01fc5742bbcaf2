// SPDX-License-Identifier: GPL-2.0-only
// A worker's two ends of a channel: what is sent is stamped, what is received is
// checked.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/channel.hpp"
#include "bench/message.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// One end with its messages: stamps what it sends, checks what it receives.
class Sender {
public:
    Sender(Port& port, const Job& job, End end)
        : port_(port), corrupt_(job.corrupt_number), stamp_(job.what.message_bytes),
          message_(stamp_.bytes()),
          witness_(job.shared.witness[static_cast<unsigned>(end)].value)
    {
        stamp_.fill(message_);
    }

    int send(std::uint64_t number)
    {
        if (message_.empty()) {
            witness_.store(number + (number == corrupt_), std::memory_order_release);
        } else {
            stamp_.write(message_, number);
            if (number == corrupt_) {
                message_[message_.size() / 2] ^= std::byte{0x10};
            }
        }
        return port_.send(message_);
    }

private:
    Port& port_;
    std::uint64_t corrupt_;
    Stamp stamp_;
    std::vector<std::byte> message_;
    std::atomic<std::uint64_t>& witness_;
};

class Receiver {
public:
    Receiver(Port& port, const Job& job, End end)
        : port_(port), stamp_(job.what.message_bytes), message_(stamp_.bytes()),
          witness_(job.shared.witness[static_cast<unsigned>(other(end))].value)
    {
    }

    /// The message with that number.
    int receive(std::uint64_t number)
    {
        if (const int error = port_.receive(message_)) {
            return error;
        }
        const bool right = message_.empty()
                               ? witness_.load(std::memory_order_acquire) == number
                               : stamp_.matches(message_, number);
        return right ? 0 : EBADMSG;
    }

    /// Any message that is whole in itself.
    int receive_any(std::uint64_t& number)
    {
        if (const int error = port_.receive(message_)) {
            return error;
        }
        number = Stamp::number(message_);
        return message_.empty() || stamp_.matches(message_, number) ? 0 : EBADMSG;
    }

private:
    Port& port_;
    Stamp stamp_;
    std::vector<std::byte> message_;
    std::atomic<std::uint64_t>& witness_;
};

}  // namespace ipcscope::bench
