// SPDX-License-Identifier: GPL-2.0-only
// Every mechanism: that it carries what it is given, in every way that it says it
// can, and that what is falsified is found.
#include "bench/channel.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <new>
#include <ostream>
#include <set>
#include <thread>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "channel_rig.hpp"
#include "bench/name_registry.hpp"
#include "bench/supervisor.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// Instead of its bytes, in what GoogleTest prints.
static void PrintTo(const Mechanism& mechanism, std::ostream* out) { *out << mechanism.name; }

namespace {

using rig::Layout;
using rig::Trial;

std::vector<WaitMode> ways_to_wait(const Mechanism& mechanism)
{
    std::vector<WaitMode> ways;
    if (mechanism.blocks) ways.push_back(WaitMode::block);
    if (mechanism.spins) ways.push_back(WaitMode::spin);
    return ways;
}

/// Few messages if each takes a time slice: a spinning end does not yield the CPU.
std::uint64_t count(const Mechanism& mechanism, WaitMode waiting, std::size_t bytes)
{
    const bool slow = waiting == WaitMode::spin || !mechanism.blocks || bytes >= 65536;
    return slow ? 14 : 102;
}

/// A limit may forbid messages above the default; the error must name the limit.
void expect_carried(const Trial& trial)
{
    const rig::Verdict verdict = rig::run(trial);
    EXPECT_EQ(verdict.failed, "") << rig::describe(trial);
    if (!verdict.refused.empty()) {
        EXPECT_GT(trial.bytes, trial.mechanism.default_max)
            << rig::describe(trial) << ": " << verdict.refused;
        EXPECT_EQ(std::count(verdict.refused.begin(), verdict.refused.end(), '\n'), 0);
    }
}

class EachMechanism : public testing::TestWithParam<Mechanism> {};

TEST_P(EachMechanism, CarriesBetweenProcesses)
{
    const Mechanism& mechanism = GetParam();
    for (const WaitMode waiting : ways_to_wait(mechanism)) {
        for (const std::size_t bytes : rig::sizes(mechanism)) {
            const std::uint64_t messages = count(mechanism, waiting, bytes);
            expect_carried({.mechanism = mechanism, .bytes = bytes, .messages = messages,
                            .waiting = waiting});
            if (!mechanism.throughput) {
                continue;
            }
            Trial trial{.mechanism = mechanism, .bytes = bytes, .messages = 4 * messages,
                        .layout = Layout::one_direction, .waiting = waiting};
            expect_carried(trial);
            if (mechanism.mpmc && bytes <= 4096) {
                trial.producers = trial.consumers = 2;
                expect_carried(trial);
            }
        }
    }
}

TEST_P(EachMechanism, CarriesWithinAProcess)
{
    const Mechanism& mechanism = GetParam();
    for (const WaitMode waiting : ways_to_wait(mechanism)) {
        const std::size_t bytes = std::clamp<std::size_t>(64, mechanism.min_message,
                                                          mechanism.max_message);
        Trial trial{.mechanism = mechanism, .bytes = bytes,
                    .messages = count(mechanism, waiting, bytes), .waiting = waiting};
        if (mechanism.single_thread) {
            trial.layout = Layout::one_thread;
            expect_carried(trial);
        }
        if (mechanism.threads) {
            trial.threads = true;
            trial.layout = Layout::round_trip;
            expect_carried(trial);
            if (mechanism.throughput) {
                trial.layout = Layout::one_direction;
                expect_carried(trial);
            }
        }
    }
}

// The following tests use the benchmark's workers and test their checks.

struct UnmapShared {
    void operator()(Shared* shared) const { munmap(shared, sizeof(Shared)); }
};

/// Wraps a channel; end a sends one message, and one only, twice.
class DoublingChannel final : public Channel {
public:
    explicit DoublingChannel(Channel& inner) : inner_(inner) {}

    Result<std::unique_ptr<Port>> port(End end, const Peer& peer) override
    {
        auto port = inner_.port(end, peer);
        if (!port || end == End::b) {
            return port;
        }
        return std::make_unique<DoublingPort>(std::move(*port));
    }
    int drained() override { return inner_.drained(); }

private:
    class DoublingPort final : public Port {
    public:
        explicit DoublingPort(std::unique_ptr<Port> inner) : inner_(std::move(inner)) {}
        int send(std::span<const std::byte> message) override
        {
            const int error = inner_->send(message);
            return error || ++sent_ != 5 ? error : inner_->send(message);
        }
        int receive(std::span<std::byte> message) override
        {
            return inner_->receive(message);
        }

    private:
        std::unique_ptr<Port> inner_;
        unsigned sent_ = 0;
    };

    Channel& inner_;
};

/// Who spins should have a CPU to himself.
unsigned last_cpu() { return std::max(1u, std::thread::hardware_concurrency()) - 1; }

enum class Fault { none, corrupted, doubled };

/// The benchmark's error for a short run with an injected fault.
std::string run_with(Fault fault, const Case& what)
{
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const std::unique_ptr<Shared, UnmapShared> shared(new (memory) Shared);
    BlockedSignals signals;
    auto names = NameRegistry::start();
    if (!names) {
        return names.error().message;
    }
    auto channel = find_mechanism(what.mechanism)->create({.message_bytes = what.message_bytes,
                                                           .waiting = what.waiting,
                                                           .names = **names});
    if (!channel) {
        return channel.error().message;
    }
    DoublingChannel doubling(**channel);
    const Job job{.what = what,
                  .channel = fault == Fault::doubled ? doubling : **channel,
                  .shared = *shared,
                  .slice_ns = 2'000'000,
                  .corrupt_number = fault == Fault::corrupted ? 5 : UINT64_MAX};
    const WorkersResult ending = run_workers(job, signals, monotonic_ns() + 30'000'000'000);
    return !ending.failed.empty() ? ending.failed
           : (*channel)->drained() ? "what arrived is not what was sent (left over)"
                                   : "";
}

TEST_P(EachMechanism, IsFoundOutWhereAMessageIsFalse)
{
    const Mechanism& mechanism = GetParam();
    const Case what{.mechanism = std::string(mechanism.name),
                    .message_bytes = std::min<std::size_t>(mechanism.max_message, 64),
                    .placement = {.cpu_a = 0, .cpu_b = last_cpu()},
                    .waiting = mechanism.blocks ? WaitMode::block : WaitMode::spin};
    const auto said_of = [&](Fault fault) {
        return rig::in_child([&] { return run_with(fault, what); });
    };
    EXPECT_EQ(said_of(Fault::none), "");
    // A signal that is sent while it is pending merges with it: not detectable.
    const bool merges = mechanism.family == Family::signal && mechanism.max_message == 0;
    for (const Fault fault : {Fault::corrupted, Fault::doubled}) {
        if (fault == Fault::doubled && merges) {
            continue;
        }
        const std::string error_text = said_of(fault);
        EXPECT_TRUE(error_text.starts_with("what arrived is not what was sent")) << error_text;
    }
}

std::string test_name(const testing::TestParamInfo<Mechanism>& info)
{
    std::string name(info.param.name);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(All, EachMechanism,
                         testing::ValuesIn(mechanisms().begin(), mechanisms().end()),
                         test_name);

TEST(Mechanisms, HaveNamesOfTheirOwnAndLimitsThatFit)
{
    std::set<std::string_view> names;
    for (const Mechanism& mechanism : mechanisms()) {
        EXPECT_TRUE(names.insert(mechanism.name).second) << mechanism.name;
        EXPECT_EQ(find_mechanism(mechanism.name), &mechanism);
        EXPECT_TRUE(std::all_of(mechanism.name.begin(), mechanism.name.end(), [](char c) {
            return std::islower(c) || std::isdigit(c) || c == '-';
        })) << mechanism.name;
        EXPECT_FALSE(mechanism.title.empty()) << mechanism.name;
        EXPECT_LE(mechanism.min_message, mechanism.max_message) << mechanism.name;
        EXPECT_TRUE(mechanism.blocks || mechanism.spins) << mechanism.name;
        EXPECT_TRUE(mechanism.throughput || !mechanism.mpmc) << mechanism.name;
    }
}

}  // namespace
}  // namespace ipcscope::bench
