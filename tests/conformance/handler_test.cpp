// SPDX-License-Identifier: GPL-2.0-only
// Every field of every run of a handler, and of every change of a mask.
#include <csignal>

#include <asm/unistd.h>
#include <gtest/gtest.h>

#include <ipcscope/policy.h>

#include "show.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

using Runs = std::vector<Seen<decode::SignalHandler>>;
using Masks = std::vector<Seen<decode::SignalMask>>;

constexpr unsigned kNoDefer = 35, kOnStack = 36, kJumps = 37;

std::uint64_t bit(unsigned signal) { return IPCSCOPE_SIG_BIT(signal); }

class Handlers : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=handlers"}, "handler_fields");
        return trace;
    }
    static Runs runs(const std::string& process, unsigned signal)
    {
        const auto tgid = trace().facts.at(process, 0);
        return select<decode::SignalHandler>(trace().capture, [&](const auto& event, const auto& body) {
            return event.task.tgid == tgid && body.sig == signal;
        });
    }
    static Masks masks()
    {
        const auto tgid = trace().facts.at("runs", 0);
        const auto from = trace().facts.at("runs", 1), to = trace().facts.at("ran", 0);
        return select<decode::SignalMask>(trace().capture, [&](const auto& event, const auto&) {
            return event.task.tgid == tgid && event.time_ns >= from && event.time_ns <= to;
        });
    }
    static decode::SignalHandler run(unsigned signal, std::uint64_t blocked, unsigned depth = 0)
    {
        auto expected = blank<decode::SignalHandler>(IPCSCOPE_SIGNAL_HANDLER);
        expected.sig = static_cast<__u8>(signal);
        expected.blocked_inside = blocked;
        expected.depth = static_cast<__u8>(depth);
        return expected;
    }
    static void expect_runs(const Runs& seen, const decode::SignalHandler& expected,
                            std::size_t count)
    {
        EXPECT_EQ(seen.size(), count);
        for (const auto& one : seen) {
            EXPECT_EQ(show(*one.body), show(expected));
            EXPECT_LT(one->enter_ns, one.event->time_ns);
        }
    }
    static Json row(const std::string& process, const std::string& signal)
    {
        for (const Json& one : trace().report["handlers"]) {
            if (one["process"]["pid"] == trace().facts.at(process, 0) && one["signal"] == signal) {
                return one;
            }
        }
        return Json();
    }
};

TEST_F(Handlers, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Handlers, EachRunIsOne)
{
    const auto usr1 = runs("runs", SIGUSR1);
    ASSERT_EQ(usr1.size(), 101u + 13u + 11u + 1u);
    expect_runs({usr1.begin(), usr1.begin() + 101}, run(SIGUSR1, bit(SIGUSR1)), 101);
    expect_runs({usr1.end() - 1, usr1.end()}, run(SIGUSR1, bit(SIGUSR1)), 1);
    expect_runs(runs("runs", kNoDefer), run(kNoDefer, 0), 7);
}

TEST_F(Handlers, AreNested)
{
    const auto usr1 = runs("runs", SIGUSR1);
    const auto outer = runs("runs", SIGUSR2);
    const std::uint64_t blocked = bit(SIGUSR2) | bit(SIGALRM);
    expect_runs(outer, run(SIGUSR2, blocked), 13);
    ASSERT_GE(usr1.size(), 114u);
    auto inner = run(SIGUSR1, blocked | bit(SIGUSR1), 1);
    inner.blocked_after = blocked;
    expect_runs({usr1.begin() + 101, usr1.begin() + 114}, inner, 13);
    for (std::size_t i = 0; i < outer.size(); ++i) {
        EXPECT_LT(outer[i]->enter_ns, usr1[101 + i]->enter_ns);
        EXPECT_LT(usr1[101 + i].event->time_ns, outer[i].event->time_ns);
    }
}

TEST_F(Handlers, OnAnAlternateStack)
{
    const auto usr1 = runs("runs", SIGUSR1);
    expect_runs(runs("runs", kOnStack), run(kOnStack, bit(kOnStack)), 11);
    ASSERT_GE(usr1.size(), 125u);
    auto inner = run(SIGUSR1, bit(kOnStack) | bit(SIGUSR1), 1);
    inner.blocked_after = bit(kOnStack);
    expect_runs({usr1.begin() + 114, usr1.begin() + 125}, inner, 11);
}

TEST_F(Handlers, OneThatIsLeftShowsAtTheNext)
{
    auto left = run(kJumps, bit(kJumps));
    left.left = 1;
    expect_runs(runs("runs", kJumps), left, 17);
}

TEST_F(Handlers, AChangeOfTheMaskIsRecordedOnce)
{
    const auto seen = masks();
    const std::uint64_t both = bit(SIGUSR1) | bit(SIGUSR2);
    std::vector<std::string> expected;
    const auto add = [&](std::uint64_t before, std::uint64_t after, unsigned syscall) {
        auto mask = blank<decode::SignalMask>(IPCSCOPE_SIGNAL_MASK);
        mask.before = before;
        mask.after = after;
        mask.syscall = static_cast<__u16>(syscall);
        expected.push_back(show(mask));
    };
    for (int i = 0; i < 17; ++i) {
        add(bit(kJumps), 0, __NR_rt_sigprocmask);   // by siglongjmp()
    }
    for (int i = 0; i < 19; ++i) {
        add(0, both, __NR_rt_sigprocmask);
        add(both, 0, __NR_rt_sigprocmask);
    }
    add(0, bit(SIGUSR1), __NR_rt_sigprocmask);
    for (int i = 0; i < 23; ++i) {
        add(bit(SIGUSR1), 0, __NR_ppoll);
        add(0, bit(SIGUSR1), __NR_ppoll);
    }
    add(bit(SIGUSR1), 0, __NR_rt_sigprocmask);
    std::vector<std::string> lines;
    for (const auto& one : seen) {
        lines.push_back(show(*one.body));
    }
    EXPECT_EQ(lines, expected);
}

TEST_F(Handlers, TheReportHasARowForEach)
{
    const Json usr1 = row("runs", "SIGUSR1");
    ASSERT_FALSE(usr1.is_null());
    EXPECT_EQ(usr1["runs"], 126);
    EXPECT_EQ(usr1["time_ns"]["count"], 126);
    EXPECT_EQ(usr1["nested"], 1);
    const Json jumps = row("runs", "SIGRTMIN+3");
    EXPECT_EQ(jumps["runs"], 17);
    EXPECT_EQ(jumps["left"], 17);
    const Json ends = row("ends", "SIGUSR1");
    EXPECT_EQ(ends["runs"], 1);
    EXPECT_EQ(ends["cut"], 1);
    EXPECT_EQ(row("waits", "SIGUSR2")["runs"], 2);
}

TEST_F(Handlers, ASlowOneIsAFinding)
{
    std::size_t found = 0;
    for (const Json& finding : trace().report["findings"]) {
        if (finding["code"] == "slow-handler") {
            ++found;
            EXPECT_EQ(finding["processes"][0]["pid"], trace().facts.at("waits", 0));
            EXPECT_GE(finding["duration_ns"], 200'000'000);
            EXPECT_EQ(finding["evidence"]["handler"], "SIGUSR2");
        }
    }
    EXPECT_EQ(found, 1u);
}

}  // namespace
}  // namespace ipcscope::conformance
