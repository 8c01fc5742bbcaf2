// SPDX-License-Identifier: GPL-2.0-only
#include "bench/cost.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "bench/latency.hpp"

namespace ipcscope::bench {
namespace {

/// Returns the message that was sent last.
class NullPort final : public LoopedPort<NullPort> {
public:
    int send(std::span<const std::byte> message) override
    {
        // Copied: the sender prepares its next message in the same buffer.
        message_.assign(message.begin(), message.end());
        return 0;
    }
    int receive(std::span<std::byte> message) override
    {
        std::copy(message_.begin(), message_.end(), message.begin());
        return 0;
    }

private:
    std::vector<std::byte> message_;
};

class NullChannel final : public Channel {
public:
    Result<std::unique_ptr<Port>> port(End, const Peer&) override
    {
        return std::make_unique<NullPort>();
    }
};

/// The minimum of several runs: the cost without disturbance.
template <typename Try>
double lowest(Try one)
{
    double best = one();
    for (int i = 0; i < 8; i++) {
        best = std::min(best, one());
    }
    return best;
}

}  // namespace

double harness_cost_ns(std::size_t message_bytes)
{
    Case what;
    what.message_bytes = message_bytes;
    NullChannel channel;
    auto shared = std::make_unique<Shared>();
    const Job job{.what = what, .channel = channel, .shared = *shared, .slice_ns = 1'000'000};
    NullPort port;
    SenderOf<NullPort> sender(port, job, End::a);
    ReceiverOf<NullPort> receiver(port, job, End::b);
    return lowest([&] {
        WorkerReport report;
        shared->phase.value = 0;
        const std::uint64_t before = monotonic_ns();
        ping(job, sender, receiver, report);
        return static_cast<double>(monotonic_ns() - before) /
               static_cast<double>(report.messages);
    });
}

double clock_cost_ns()
{
    constexpr int kReads = 20'000;
    return lowest([] {
        const std::uint64_t before = monotonic_ns();
        for (int i = 1; i < kReads; i++) {
            static_cast<void>(monotonic_ns());
        }
        return static_cast<double>(monotonic_ns() - before) / kReads;
    });
}

}  // namespace ipcscope::bench
