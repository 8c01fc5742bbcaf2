// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "../aggregate/builders.hpp"
#include "base/units.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/masks.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace aggregate::test;
using aggregate::Blocking;
using aggregate::Report;
using aggregate::SignalRow;

constexpr unsigned kUsr1 = 10;

Blocking handler(std::uint64_t since_ns, std::uint64_t until_ns)
{
    Blocking blocking;
    blocking.by = Blocking::By::handler;
    blocking.handler = kUsr1;
    blocking.since_ns = since_ns;
    blocking.until_ns = until_ns;
    return blocking;
}

/// SIGUSR1 waited from `sent` to `taken` (0: it still does).
SignalRow waited(std::uint32_t sender, std::uint64_t sent, std::uint64_t taken,
                 const Blocking& blocking)
{
    SignalRow row;
    row.signal = kUsr1;
    row.sender = {sender, 0, Comm("sender")};
    row.target = {7, 0, Comm("busy")};
    row.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    row.outcomes[IPCSCOPE_RESULT_ALREADY_PENDING] = 20;
    aggregate::SignalWait wait{sent, taken, true, false, {}, blocking};
    if (taken == 0) {
        row.ends[static_cast<std::size_t>(aggregate::End::pending)] = 1;
        row.still_pending = wait;
    } else {
        row.ends[static_cast<std::size_t>(aggregate::End::handler)] = 1;
        row.latency.add(taken - sent);
        row.longest = wait;
    }
    return row;
}

Report report(std::vector<SignalRow> rows)
{
    Report report;
    report.end_ns = 5'000 * kMs;
    report.has_handlers = true;
    aggregate::HandlerRow runs;
    runs.task = {7, 0, Comm("busy")};
    runs.signal = kUsr1;
    runs.time.add(300 * kMs);
    runs.time.add(400 * kMs);
    report.handlers = {runs};
    report.signals = std::move(rows);
    return report;
}

/// Ten real-time signals at once: the last waits for nine runs of one handler.
TEST(SlowHandlers, OfSeveralRunsAllCount)
{
    Blocking runs = handler(50 * kMs, 200 * kMs);
    runs.inside_ns = 1'300 * kMs;
    const auto found = diagnose(report({waited(5, 100 * kMs, 1'450 * kMs, runs)}));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, Code::slow_handler);
    std::string text = found[0].text;
    std::ranges::replace(text, kGlue, ' ');
    EXPECT_NE(text.find("took 1.35 s to arrive: for 1.30 s of that the receiver was in its handler"),
              std::string::npos) << text;
}

TEST(SlowHandlers, OneFindingForAllSenders)
{
    const auto found = diagnose(report({waited(5, 100 * kMs, 400 * kMs, handler(0, 400 * kMs)),
                                        waited(6, 200 * kMs, 400 * kMs, handler(0, 400 * kMs))}));
    ASSERT_EQ(found.size(), 1u);   // nor is it late, or merged
    EXPECT_EQ(found[0].code, Code::slow_handler);
    EXPECT_EQ(found[0].duration_ns, 300 * kMs);
    EXPECT_EQ(found[0].at_ns, 100 * kMs);
    ASSERT_EQ(found[0].subjects.size(), 1u);
    EXPECT_EQ(found[0].subjects[0].task.tgid, 7u);
    EXPECT_NE(found[0].text.find("2 senders"), std::string::npos) << found[0].text;
    EXPECT_NE(found[0].text.find("its handler of SIGUSR1"), std::string::npos) << found[0].text;
    EXPECT_NE(found[0].text.find("40 of 42 merged"), std::string::npos) << found[0].text;
}

TEST(SlowHandlers, OneThatHasNotReturned)
{
    const auto found = diagnose(report({waited(5, 100 * kMs, 0, handler(50 * kMs, 0))}));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, Code::slow_handler);
    EXPECT_NE(found[0].text.find("still pending"), std::string::npos) << found[0].text;
}

TEST(SlowHandlers, NotWhereItWaitedForSomethingElse)
{
    // The handler had returned after 50 ms of 300.
    const auto found =
        diagnose(report({waited(5, 100 * kMs, 400 * kMs, handler(0, 150 * kMs))}));
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0].code, Code::signal_late);
}

TEST(Masks, SayByWhatCall)
{
    Report report;
    report.host.start_ns = 1'000 * kMs;
    Blocking blocking;
    blocking.by = Blocking::By::call;
    blocking.since_ns = 1'250 * kMs;
    blocking.syscall = 14;
    const auto words = [&] {
        std::string text = blocked_by(report, blocking);
        std::ranges::replace(text, kGlue, ' ');
        return text;
    };
    EXPECT_EQ(words(), ", by its own sigprocmask() at 250 ms");
    blocking.syscall = 271;
    EXPECT_EQ(words(), ", by its own ppoll() at 250 ms");
    blocking.syscall = IPCSCOPE_SYSCALL_NONE;
    EXPECT_EQ(words(), ", by a system call of its own at 250 ms");
    blocking.by = Blocking::By::exec;
    EXPECT_EQ(words(), ", as it did at its exec already");
}

}  // namespace
}  // namespace ipcscope::diagnose
