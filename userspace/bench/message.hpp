// SPDX-License-Identifier: GPL-2.0-only
// The content of a message, by which the receiver verifies it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace ipcscope::bench {

/// The bytes of a message.  A short one lies in the object, so in the stack frame of
/// the loop that uses it: after a context switch each page that is touched costs a TLB
/// miss of about 4 ns (docs/bench.md).
class Buffer {
public:
    explicit Buffer(std::size_t bytes)
        : size_(bytes), heap_(bytes > sizeof(inline_) ? bytes : 0)
    {
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::byte* data() { return heap_.empty() ? inline_ : heap_.data(); }
    const std::byte* data() const { return heap_.empty() ? inline_ : heap_.data(); }
    std::span<std::byte> span() { return {data(), size_}; }
    std::span<const std::byte> span() const { return {data(), size_}; }

private:
    std::size_t size_;
    alignas(16) std::byte inline_[64]{};
    std::vector<std::byte> heap_;
};

/// Messages of one size: a fixed pattern with the message's number at its head
/// and, from 16 bytes on, at its tail.  Cheap enough to be done for every
/// message: up to 64 bytes are checked whole; of a larger one the head, the tail
/// and one window of 64 bytes, another with each number, so that a place that is
/// always wrong is found within size / 64 messages.
class Stamp {
public:
    static constexpr std::size_t kWindow = 64;

    explicit Stamp(std::size_t bytes) : pattern_(bytes)
    {
        for (std::size_t i = 0; i < bytes; i++) {
            pattern_[i] = static_cast<std::byte>(i * 151 + (i >> 8) * 7 + 3);
        }
    }

    std::size_t bytes() const { return pattern_.size(); }

    /// Fills a whole message; later ones of the same buffer need only write().
    void fill(std::span<std::byte> message) const
    {
        std::copy(pattern_.begin(), pattern_.end(), message.begin());
    }

    /// Writes the number into a message that fill() has filled.
    void write(std::span<std::byte> message, std::uint64_t number) const
    {
        if (message.size() < sizeof(number)) {
            for (std::byte& byte : message) {
                byte = static_cast<std::byte>(number);
                number >>= 8;
            }
            return;
        }
        std::memcpy(message.data(), &number, sizeof(number));
        if (message.size() >= 2 * sizeof(number)) {
            std::memcpy(message.data() + message.size() - sizeof(number), &number,
                        sizeof(number));
        }
    }

    /// The number at the head: its low bytes where the message is shorter.
    static std::uint64_t number(std::span<const std::byte> message)
    {
        std::uint64_t number = 0;
        if (message.size() >= sizeof(number)) {
            std::memcpy(&number, message.data(), sizeof(number));
            return number;
        }
        for (std::size_t i = message.size(); i-- > 0;) {
            number = number << 8 | static_cast<std::uint64_t>(message[i]);
        }
        return number;
    }

    /// Whether this is the message with that number.
    bool matches(std::span<const std::byte> message, std::uint64_t number) const
    {
        const std::size_t size = message.size();
        if (size != pattern_.size()) {
            return false;
        }
        if (size < sizeof(number)) {
            const std::uint64_t mask = (std::uint64_t{1} << 8 * size) - 1;
            return Stamp::number(message) == (number & mask);
        }
        std::size_t end = size;
        if (Stamp::number(message) != number) {
            return false;
        }
        if (size >= 2 * sizeof(number)) {
            end = size - sizeof(number);
            if (Stamp::number(message.subspan(end)) != number) {
                return false;
            }
        }
        std::size_t at = sizeof(number);
        const std::size_t windows = (end - at + kWindow - 1) / kWindow;
        if (windows > 1) {
            at += number % windows * kWindow;
        }
        return std::memcmp(message.data() + at, pattern_.data() + at,
                           std::min(kWindow, end - at)) == 0;
    }

private:
    std::vector<std::byte> pattern_;
};

}  // namespace ipcscope::bench
