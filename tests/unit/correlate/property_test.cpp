// SPDX-License-Identifier: GPL-2.0-only
// Against a model of the kernel: without loss every signal must end as it did;
// with loss nothing may be paired wrongly, and nothing may vanish.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "kernel_sim.hpp"

namespace ipcscope::correlate::test {
namespace {

KernelSim simulate()
{
    KernelSim sim(*rc::gen::arbitrary<std::uint32_t>());
    const auto steps = *rc::gen::inRange(1, 600);
    for (int i = 0; i < steps; ++i) sim.step();
    sim.end();
    return sim;
}

std::map<std::uint64_t, SignalInterval> by_generation(const Outcomes& outcomes)
{
    std::map<std::uint64_t, SignalInterval> out;
    for (const auto& signal : outcomes.signals) {
        RC_ASSERT(out.emplace(signal.generated_ns, signal).second);
    }
    return out;
}

RC_GTEST_PROP(Model, WithoutLossEverySignalEndsAsItDid, ())
{
    const auto sim = simulate();
    const auto outcomes = run(sim.events());
    const auto found = by_generation(outcomes);
    RC_ASSERT(found.size() == sim.truth().size());
    for (const auto& [generated, truth] : sim.truth()) {
        RC_LOG() << "generated " << generated << "\n";
        const auto& signal = found.at(generated);
        RC_ASSERT(signal.queued() == truth.queued);
        RC_ASSERT(static_cast<int>(signal.end) == static_cast<int>(truth.end));
        if (!signal.matched() || !truth.queued) continue;
        RC_ASSERT(signal.sender.tid == truth.sender);
        RC_ASSERT(signal.ended_ns == truth.ended_ns);
        RC_ASSERT(signal.dequeued_ns == truth.dequeued_ns);
        RC_ASSERT(signal.latency_ns() == truth.ended_ns - generated);
        RC_ASSERT(signal.receiver.tid == truth.receiver);
    }
    const auto of_group_exits = std::count_if(
        outcomes.orphans.begin(), outcomes.orphans.end(),
        [](const Orphan& orphan) { return orphan.why == Orphan::Why::group_exit; });
    RC_ASSERT(static_cast<std::size_t>(of_group_exits) == sim.group_exits());
    RC_ASSERT(outcomes.orphans.size() == sim.group_exits() + sim.replacements());
}

/// Drops some events; what a CPU lost shows in its next record.  A thread
/// stays on its CPU.
std::vector<decode::Event> with_losses(const std::vector<decode::Event>& events,
                                       std::uint32_t seed, unsigned percent)
{
    std::mt19937 random(seed);
    std::map<unsigned, std::uint64_t> lost;
    std::vector<decode::Event> out;
    for (auto event : events) {
        event.cpu = event.task.tid % 4;
        if (random() % 100 < percent) {
            ++lost[event.cpu];
            continue;
        }
        event.lost_before = lost[event.cpu];
        out.push_back(std::move(event));
    }
    return out;
}

RC_GTEST_PROP(Model, WithLossNothingVanishesAndNoValueIsPairedWrongly, ())
{
    const auto sim = simulate();
    const auto events = with_losses(sim.events(), *rc::gen::arbitrary<std::uint32_t>(),
                                    *rc::gen::inRange(1u, 40u));
    const auto found = by_generation(run(events));
    std::size_t generations = 0;
    for (const auto& event : events) {
        if (event.kind != IPCSCOPE_SIGNAL_GENERATE) continue;
        ++generations;
        RC_ASSERT(found.contains(event.time_ns));
    }
    RC_ASSERT(found.size() == generations);
    for (const auto& [generated, signal] : found) {
        const Truth& truth = sim.truth().at(generated);
        RC_ASSERT(signal.queued() == truth.queued);
        RC_ASSERT((signal.end == End::not_queued) == !truth.queued);
        if (!truth.has_value || !signal.matched() || !truth.queued) continue;
        RC_LOG() << "generated " << generated << "\n";
        RC_ASSERT(static_cast<int>(signal.end) == static_cast<int>(truth.end));
        RC_ASSERT(signal.ended_ns == truth.ended_ns);
        RC_ASSERT(signal.receiver.tid == truth.receiver);
    }
}

}  // namespace
}  // namespace ipcscope::correlate::test
