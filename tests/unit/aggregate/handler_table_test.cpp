// SPDX-License-Identifier: GPL-2.0-only
// Runs of handlers, and why a signal was blocked: as the aggregator has them.
#include <asm/unistd.h>
#include <gtest/gtest.h>

#include <ipcscope/policy.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

constexpr unsigned kUsr1 = 10, kUsr2 = 12;

class Handled : public testing::Test {
protected:
    Handled() { trace.host(host(true)); }

    static source::Host host(bool handlers)
    {
        source::Host host;
        host.hooks = {handlers ? "handler returns: restore_sigcontext (fentry)"
                               : "handler returns: not hooked, no function restore_sigcontext"};
        return host;
    }
    void take(std::uint64_t at, unsigned signal)
    {
        decode::SignalTake body{};
        body.sig = static_cast<__u8>(signal);
        body.how = IPCSCOPE_TAKE_HANDLER;
        trace.event(event(at, task(7), IPCSCOPE_SIGNAL_TAKE, body));
    }
    void ran(std::uint64_t from, std::uint64_t to, unsigned signal, bool left = false,
             std::uint64_t also = 0, unsigned depth = 0)
    {
        decode::SignalHandler body{};
        body.enter_ns = from;
        body.blocked_inside = IPCSCOPE_SIG_BIT(signal) | also;
        body.sig = static_cast<__u8>(signal);
        body.left = left;
        body.depth = static_cast<__u8>(depth);
        trace.event(event(to, task(7), IPCSCOPE_SIGNAL_HANDLER, body));
    }
    void mask(std::uint64_t at, std::uint64_t before, std::uint64_t after,
              unsigned syscall = __NR_rt_sigprocmask)
    {
        decode::SignalMask body{};
        body.before = before;
        body.after = after;
        body.syscall = static_cast<__u16>(syscall);
        trace.event(event(at, task(7), IPCSCOPE_SIGNAL_MASK, body));
    }
    void thread(std::uint64_t at, unsigned reason, std::uint64_t blocked)
    {
        decode::Thread body{};
        body.reason = static_cast<__u8>(reason);
        body.blocked = blocked;
        trace.event(event(at, task(7), IPCSCOPE_THREAD, body));
    }
    /// Sent to 7, which blocks it; taken long after.
    void sent(std::uint64_t at, unsigned signal)
    {
        decode::SignalGenerate body{};
        body.sig = static_cast<__u8>(signal);
        body.target_tgid = body.target_tid = 7;
        body.blocked = 1;
        auto made = event(at, task(5), IPCSCOPE_SIGNAL_GENERATE, body);
        made.target = task(7);
        trace.event(made);
    }
    std::optional<Blocking> why(std::uint64_t at, unsigned signal, bool blocked = true)
    {
        correlate::SignalInterval one;
        one.generated_ns = at;
        one.ended_ns = at + (latency_ns_ += kMs);   // the longest is kept
        one.sender = task(5);
        one.target = task(7);
        one.signal = signal;
        one.blocked = blocked;
        one.end = correlate::End::handler;
        trace.interval(one);
        for (const SignalRow& row : finish(trace).signals) {
            if (row.signal == signal && row.longest) {
                return row.longest->blocking;
            }
        }
        return std::nullopt;
    }

    Trace trace;

private:
    std::uint64_t latency_ns_ = 200 * kMs;
};

/// Three at once: the mask is that of before the first handler.
TEST_F(Handled, TheRunsOfThoseBeforeItInTheQueue)
{
    ran(10 * kMs, 30 * kMs, kUsr1);   // before it was sent
    for (const std::uint64_t at : {50u, 100u, 150u}) {
        take(at * kMs, kUsr1);
        ran(at * kMs, (at + 40) * kMs, kUsr1);
    }
    const auto found = why(40 * kMs, kUsr1, false);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->by, Blocking::By::handler);
    EXPECT_EQ(found->handler, kUsr1);
    EXPECT_EQ(found->since_ns, 50 * kMs);
    EXPECT_EQ(found->inside_ns, 120 * kMs);
    EXPECT_FALSE(why(200 * kMs, kUsr1, false));
}

TEST_F(Handled, RowsByProcessAndSignal)
{
    take(10, kUsr1);
    ran(10, 30, kUsr1);
    take(40, kUsr1);
    take(45, kUsr2);
    ran(45, 50, kUsr2, false, 0, 1);
    ran(40, 100, kUsr1);
    take(110, kUsr2);
    ran(110, 120, kUsr2, true);
    take(130, kUsr2);
    const auto rows = finish(trace).handlers;
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].signal, kUsr1);
    EXPECT_EQ(rows[0].time.count(), 2u);
    EXPECT_EQ(rows[0].time.sum(), 80u);
    EXPECT_EQ(rows[0].longest_ns, 40u);
    EXPECT_EQ(rows[0].count(), 2u);
    EXPECT_EQ(rows[1].depth, 1u);
    EXPECT_EQ(rows[1].left, 1u);
    EXPECT_EQ(rows[1].running, 1u);
    EXPECT_EQ(rows[1].count(), 3u);
}

TEST_F(Handled, TheEndOfAThreadOrAnExecCutsThem)
{
    take(10, kUsr1);
    thread(20, IPCSCOPE_THREAD_EXEC, 0);
    take(30, kUsr1);
    trace.event(thread_end(40, task(7), 0));
    const auto rows = finish(trace).handlers;
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].cut, 2u);
    EXPECT_EQ(rows[0].running, 0u);
}

TEST_F(Handled, WithoutTheHooksThereIsNone)
{
    Trace other;
    other.host(host(false));
    decode::SignalTake body{};
    body.sig = kUsr1;
    body.how = IPCSCOPE_TAKE_HANDLER;
    other.event(event(10, task(7), IPCSCOPE_SIGNAL_TAKE, body));
    EXPECT_TRUE(finish(other).handlers.empty());
    EXPECT_FALSE(finish(other).has_handlers);
}

TEST_F(Handled, BlockedByACallOfItsOwnSinceThen)
{
    const std::uint64_t both = IPCSCOPE_SIG_BIT(kUsr1) | IPCSCOPE_SIG_BIT(kUsr2);
    mask(10, 0, IPCSCOPE_SIG_BIT(kUsr1));
    mask(20, IPCSCOPE_SIG_BIT(kUsr1), both, __NR_ppoll);
    sent(30, kUsr1);
    mask(40, both, 0);   // what comes later does not change it
    const auto blocking = why(30, kUsr1);
    ASSERT_TRUE(blocking);
    EXPECT_EQ(blocking->by, Blocking::By::call);
    EXPECT_EQ(blocking->since_ns, 10u);
    EXPECT_EQ(blocking->syscall, __NR_rt_sigprocmask);
    sent(50, kUsr2);
    EXPECT_FALSE(why(50, kUsr2));
}

TEST_F(Handled, BlockedFromItsBirthOrExec)
{
    thread(10, IPCSCOPE_THREAD_FORK, IPCSCOPE_SIG_BIT(kUsr1));
    thread(20, IPCSCOPE_THREAD_EXEC, IPCSCOPE_SIG_BIT(kUsr1) | IPCSCOPE_SIG_BIT(kUsr2));
    sent(30, kUsr1);
    sent(30, kUsr2);
    EXPECT_EQ(why(30, kUsr1)->by, Blocking::By::birth);
    EXPECT_EQ(why(30, kUsr2)->by, Blocking::By::exec);
}

TEST_F(Handled, BlockedByAHandlerThatRan)
{
    take(10, kUsr1);
    sent(20, kUsr1);
    sent(21, kUsr2);
    ran(10, 9 * kMs, kUsr1, false, IPCSCOPE_SIG_BIT(kUsr2));
    const auto blocking = why(20, kUsr1);
    ASSERT_TRUE(blocking);
    EXPECT_EQ(blocking->by, Blocking::By::handler);
    EXPECT_EQ(blocking->handler, kUsr1);
    EXPECT_EQ(blocking->since_ns, 10u);
    EXPECT_EQ(blocking->until_ns, 9 * kMs);
    EXPECT_EQ(why(21, kUsr2)->handler, kUsr1);   // by sa_mask
    sent(10 * kMs, kUsr1);
    EXPECT_FALSE(why(10 * kMs, kUsr1));   // by what is not known
}

// A hundred signals that waited for it are each handled after it.
TEST_F(Handled, ShortRunsAfterALongOneLeaveItKnown)
{
    take(10, kUsr1);
    sent(20, kUsr1);
    ran(10, 9 * kMs, kUsr1, false);
    for (std::uint64_t nth = 0; nth < 100; ++nth) {
        take(9 * kMs + 10 * nth, kUsr1);
        ran(9 * kMs + 10 * nth, 9 * kMs + 10 * nth + 5, kUsr1, false);
    }
    EXPECT_EQ(why(20, kUsr1)->until_ns, 9 * kMs);
}

TEST_F(Handled, OneThatStillRunsBlocksItsOwnOnly)
{
    take(10, kUsr1);
    sent(20, kUsr1);
    sent(21, kUsr2);
    EXPECT_EQ(why(20, kUsr1)->until_ns, 0u);
    EXPECT_FALSE(why(21, kUsr2));
}

}  // namespace
}  // namespace ipcscope::aggregate::test
