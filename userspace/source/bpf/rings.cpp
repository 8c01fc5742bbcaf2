// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/rings.hpp"

#include <cerrno>
#include <cstring>

#include <sys/epoll.h>

#include <bpf/libbpf.h>
#include <fmt/format.h>

namespace ipcscope::source::bpf {

void Rings::Free::operator()(ring_buffer* ring) const
{
    ring_buffer__free(ring);
}

Rings::Rings() : epoll_(epoll_create1(EPOLL_CLOEXEC))
{
    batch_.reserve(Producer::kBatchBytes + 4096);
}

Rings::~Rings() = default;

Result<void> Rings::add(int fd)
{
    // One libbpf reader a ring, so that each can be drained by itself.
    std::unique_ptr<ring_buffer, Free> ring(ring_buffer__new(fd, take, this, nullptr));
    epoll_event event{};
    event.events = EPOLLIN;
    if (!ring || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return fail(Exit::kernel, fmt::format("the ring of CPU {} cannot be mapped: {}",
                                              rings_.size(), std::strerror(errno)));
    }
    rings_.push_back(std::move(ring));
    return {};
}

void Rings::wait(std::chrono::milliseconds timeout) const
{
    epoll_event events[16];
    epoll_wait(epoll_.get(), events, 16, static_cast<int>(timeout.count()));
}

int Rings::take(void* self, void* record, std::size_t size)
{
    auto& batch = static_cast<Rings*>(self)->batch_;
    const auto* bytes = static_cast<const std::byte*>(record);
    batch.insert(batch.end(), bytes, bytes + size);
    // A negative value ends the pass; this record counts as taken.
    return batch.size() >= Producer::kBatchBytes ? -EAGAIN : 0;
}

Rings::Drained Rings::drain(std::size_t cpu)
{
    batch_.clear();
    const int taken = ring_buffer__consume(rings_[cpu].get());
    return {batch_, taken >= 0};
}

}  // namespace ipcscope::source::bpf
