// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "correlate/waiting_signals.hpp"
#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

/// (signal, at_ns) of those that waited for 100 ns.
std::vector<std::pair<unsigned, std::uint64_t>> waiting(const Scenario& scenario,
                                                        std::uint64_t until_ns)
{
    std::vector<std::pair<unsigned, std::uint64_t>> shown;
    WaitingSignals waiting(100, [&](const SignalInterval& signal, std::uint64_t at_ns) {
        EXPECT_EQ(signal.end, End::pending);
        shown.emplace_back(signal.signal, at_ns);
    });
    Correlator correlator([&](const Interval& interval) { waiting.interval(interval); });
    for (const decode::Event& event : scenario.events) {
        waiting.event(event);
        correlator.event(event);
    }
    waiting.until(until_ns);
    return shown;
}

using Shown = std::vector<std::pair<unsigned, std::uint64_t>>;

TEST(WaitingSignals, OnceWhenTheTimeHasPassed)
{
    Scenario scenario;
    scenario.generate(1000, task(1), task(2), 10);
    scenario.generate(1010, task(1), task(2), 12);
    scenario.handled(1050, task(2), 12);
    scenario.handled(5000, task(2), 10);
    EXPECT_EQ(waiting(scenario, 6000), (Shown{{10, 1100}}));
}

TEST(WaitingSignals, NotBeforeAndWithoutAnEvent)
{
    Scenario scenario;
    scenario.generate(1000, task(1), task(2), 10);
    EXPECT_TRUE(waiting(scenario, 1099).empty());
    EXPECT_EQ(waiting(scenario, 1100), (Shown{{10, 1100}}));
}

TEST(WaitingSignals, OnlyWhatWasQueued)
{
    Scenario scenario;
    scenario.generate(1000, task(1), task(2), 10).outcome(Outcome::ignored);
    scenario.generate(1001, task(1), task(2), 12).outcome(Outcome::already_pending);
    scenario.generate(1002, task(1), task(2), 13).requeued();
    EXPECT_TRUE(waiting(scenario, 9000).empty());
}

}  // namespace
}  // namespace ipcscope::correlate::test
