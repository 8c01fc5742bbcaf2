// SPDX-License-Identifier: GPL-2.0-only
// Reads the per-CPU BPF ring buffers.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "source/producer.hpp"

struct ring_buffer;

namespace ipcscope::source::bpf {

class Rings {
public:
    Rings();
    ~Rings();

    /// `fd` is the ring of the next CPU.
    Result<void> add(int fd);

    std::size_t size() const { return rings_.size(); }

    /// Until a ring passes its wake-up mark, or `timeout`, or a signal.
    void wait(std::chrono::milliseconds timeout) const;

    using Drained = Producer::Drained;
    /// Takes records of one CPU's ring, up to about Producer::kBatchBytes.
    Drained drain(std::size_t cpu);

private:
    struct Free { void operator()(ring_buffer* ring) const; };
    static int take(void* self, void* record, std::size_t size);

    std::vector<std::unique_ptr<ring_buffer, Free>> rings_;
    std::vector<std::byte> batch_;
    Fd epoll_;
};

}  // namespace ipcscope::source::bpf
