// SPDX-License-Identifier: GPL-2.0-only
// eventfd: as a counter, whose value is the message's number, and as a semaphore.
#include <array>
#include <cstring>

#include <poll.h>
#include <sys/eventfd.h>

#include <fmt/format.h>

#include "base/fd.hpp"
#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"

namespace ipcscope::bench {
namespace {

int write_value(int fd, std::uint64_t value)
{
    return write_all(fd, std::as_bytes(std::span(&value, 1)));
}

int read_value(int fd, std::uint64_t expected)
{
    std::uint64_t value = 0;
    const int error = read_all(fd, std::as_writable_bytes(std::span(&value, 1)));
    return error ? error : value == expected ? 0 : EBADMSG;
}

/// The value is the number of the message, so that a lost or duplicated one is detected.
class CounterPort final : public LoopedPort<CounterPort> {
public:
    CounterPort(int in, int out) : in_(in), out_(out) {}

    int send(std::span<const std::byte>) override { return write_value(out_, ++sent_); }
    int receive(std::span<std::byte>) override { return read_value(in_, ++received_); }

private:
    int in_;
    int out_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
};

class SemaphorePort final : public LoopedPort<SemaphorePort> {
public:
    SemaphorePort(int in, int out) : in_(in), out_(out) {}

    int send(std::span<const std::byte>) override { return write_value(out_, 1); }
    int receive(std::span<std::byte>) override { return read_value(in_, 1); }

private:
    int in_;
    int out_;
};

/// [0]: from a to b, [1]: back.
template <typename PortType>
class EventChannel final : public Channel {
public:
    explicit EventChannel(std::array<Fd, 2> events) : events_(std::move(events)) {}

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        const bool a = end == End::a;
        return std::make_unique<PortType>(events_[a ? 1 : 0].get(), events_[a ? 0 : 1].get());
    }

    int drained() override
    {
        for (const Fd& event : events_) {
            pollfd readable{.fd = event.get(), .events = POLLIN, .revents = 0};
            if (poll(&readable, 1, 0) != 0) {
                return EBADMSG;
            }
        }
        return 0;
    }

private:
    std::array<Fd, 2> events_;
};

template <typename PortType, int kFlags>
Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    const int nonblocking = setup.waiting == WaitMode::spin ? EFD_NONBLOCK : 0;
    std::array<Fd, 2> events;
    for (Fd& event : events) {
        event.reset(eventfd(0, EFD_CLOEXEC | nonblocking | kFlags));
        if (!event) {
            return fail(Exit::kernel, fmt::format("eventfd: {}; raise ulimit -n",
                                                  std::strerror(errno)));
        }
    }
    return std::make_unique<EventChannel<PortType>>(std::move(events));
}

constexpr Mechanism kMechanisms[] = {
    {.name = "eventfd", .title = "eventfd, counter", .family = Family::eventfd,
     .spins = true, .traced_by = IPCSCOPE_FAMILY_EVENTFD, .create = create<CounterPort, 0>},
    {.name = "eventfd-semaphore", .title = "eventfd, semaphore mode",
     .family = Family::eventfd, .spins = true, .throughput = true, .mpmc = true,
     .traced_by = IPCSCOPE_FAMILY_EVENTFD,
     .create = create<SemaphorePort, EFD_SEMAPHORE>},
};

}  // namespace

std::span<const Mechanism> eventfd_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
