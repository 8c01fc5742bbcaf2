// SPDX-License-Identifier: GPL-2.0-only
// Kills of tasks in uninterruptible (D) and killable (K) sleep.
#include <algorithm>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

class Kills : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = [] {
            Trace recorded = record_workload({}, "frozen_writers", {ext4()});
            thaw(ext4());
            return recorded;
        }();
        return trace;
    }
    static std::uint64_t fact(const std::string& name, std::size_t n = 0)
    {
        return trace().facts.at(name, n);
    }
    static auto records(const std::string& name)
    {
        return select<decode::Kill>(trace().capture, [&](auto&, auto& body) {
            return body.target_tgid == fact(name);
        });
    }
    /// The report's only row of that target.
    static Json row(const std::string& name)
    {
        Json found;
        for (const Json& kill : trace().report["kills"]) {
            if (kill["target"]["pid"] == fact(name)) {
                EXPECT_TRUE(found.is_null()) << "two rows for " << name;
                found = kill;
            }
        }
        EXPECT_FALSE(found.is_null()) << name;
        return found.is_null() ? Json::object() : found;
    }
    /// Whether a function of the stack has `part` in its name.
    static bool stack_has(const Json& row, const std::string& part)
    {
        for (const Json& entry : row.value("stack", Json::array())) {
            if (entry.get<std::string>().find(part) != std::string::npos) {
                return true;
            }
        }
        return false;
    }
};

TEST_F(Kills, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
    // 3 at the first, 1 at the thread, 2 at vfork()'s parents, 2 at the last.
    EXPECT_EQ(trace().capture.decoded[IPCSCOPE_KILL], 8u);
    EXPECT_EQ(trace().report["kills"].size(), 5u);
}

TEST_F(Kills, ThreeTimesAndThawed)
{
    const auto kills = records("thawed");
    ASSERT_EQ(kills.size(), 3u);
    for (std::size_t i = 0; i < 3; i++) {
        EXPECT_EQ(kills[i]->sig, 9u);
        EXPECT_EQ(kills[i]->state, IPCSCOPE_STATE_UNINTERRUPTIBLE);
        EXPECT_EQ(kills[i]->stuck_tid, fact("thawed"));
        EXPECT_EQ(name_of(kills[i].event->target), "stuck-writer");
        EXPECT_EQ(kills[i]->stuck_threads, 1u);
        EXPECT_EQ(kills[i]->origin, IPCSCOPE_ORIGIN_TASK);
        EXPECT_EQ(kills[i]->result,
                  i == 0 ? unsigned{IPCSCOPE_RESULT_DELIVERED} : result_of_killing_again());
        EXPECT_EQ(kills[i].event->task.tgid, fact("director"));
        EXPECT_GT(kills[i]->stack_depth, 2u);
    }
    const Json kill = row("thawed");
    EXPECT_EQ(kill["signal"], "SIGKILL");
    EXPECT_EQ(kill["sender"]["comm"], "director");
    EXPECT_EQ(kill["target"]["comm"], "stuck-writer");
    EXPECT_EQ(kill["state"], "D");
    EXPECT_EQ(kill["repeats"], 2);
    EXPECT_EQ(kill["outcome"], "died");
    EXPECT_TRUE(stack_has(kill, "percpu_rwsem") || stack_has(kill, "percpu_down_read"))
        << kill["stack"];
    EXPECT_TRUE(stack_has(kill, "vfs_write")) << kill["stack"];
    ASSERT_TRUE(kill["time_to_die_ns"].is_number()) << kill;
    // From the kill to the thaw at least, to the reaping at most.
    EXPECT_GE(kill["time_to_die_ns"], fact("thawed", 1));
    EXPECT_LE(kill["time_to_die_ns"], fact("thawed", 2));
    EXPECT_GE(kill["time_to_die_ns"], 1'000'000'000u);
}

TEST_F(Kills, OtherThreadIsStuck)
{
    const auto kills = records("stuck_thread");
    ASSERT_EQ(kills.size(), 1u);
    EXPECT_EQ(kills[0]->stuck_tid, fact("stuck_thread", 1));
    EXPECT_EQ(kills[0]->state, IPCSCOPE_STATE_UNINTERRUPTIBLE);
    EXPECT_EQ(kills[0]->stuck_threads, 1u);
    const Json kill = row("stuck_thread");
    EXPECT_EQ(kill["target"]["tid"], fact("stuck_thread", 1));
    EXPECT_EQ(kill["target"]["comm"], "stuck thread");
    EXPECT_EQ(kill["state"], "D");
    EXPECT_EQ(kill["repeats"], 0);
    EXPECT_EQ(kill["outcome"], "died");
    EXPECT_TRUE(stack_has(kill, "vfs_write")) << kill["stack"];
    EXPECT_GE(kill["time_to_die_ns"], 1'000'000'000u);
}

/// A killable sleeper is a class of its own: woken by the kill itself.
TEST_F(Kills, Killable)
{
    for (const auto& [name, signal] : {std::pair{"vfork-kill", 9u}, {"vfork-term", 15u}}) {
        const auto kills = records(name);
        ASSERT_EQ(kills.size(), 1u) << name;
        EXPECT_EQ(kills[0]->state, IPCSCOPE_STATE_KILLABLE) << name;
        EXPECT_EQ(kills[0]->sig, signal);
        const Json kill = row(name);
        EXPECT_EQ(kill["state"], "K") << name;
        EXPECT_EQ(kill["outcome"], "died") << name;
        EXPECT_TRUE(stack_has(kill, "wait_for_vfork") || stack_has(kill, "kernel_clone"))
            << name << ' ' << kill["stack"];
        const auto made = generated(trace().capture, fact("director"), fact(name), signal);
        ASSERT_EQ(made.size(), 1u);
        EXPECT_EQ(made[0]->target_state, IPCSCOPE_STATE_KILLABLE);
        EXPECT_TRUE(made[0]->fatal);
    }
}

TEST_F(Kills, StillStuckAtTheEnd)
{
    EXPECT_EQ(records("frozen").size(), 2u);
    const Json kill = row("frozen");
    EXPECT_EQ(kill["state"], "D");
    EXPECT_EQ(kill["repeats"], 1);
    EXPECT_EQ(kill["outcome"], "still_stuck");
    EXPECT_TRUE(kill["time_to_die_ns"].is_null());
    EXPECT_TRUE(stack_has(kill, "vfs_write")) << kill["stack"];
}

/// A kill's record comes just before its generation's, and speaks of the same one.
TEST_F(Kills, EachHasItsGeneration)
{
    const auto& events = trace().capture.events;
    for (std::size_t i = 0; i < events.size(); i++) {
        const auto* kill = std::get_if<decode::Kill>(&events[i].body);
        if (!kill) {
            continue;
        }
        const auto made = std::find_if(events.begin() + static_cast<std::ptrdiff_t>(i),
                                       events.end(), [&](const decode::Event& event) {
            return event.cpu == events[i].cpu && event.kind == IPCSCOPE_SIGNAL_GENERATE;
        });
        ASSERT_NE(made, events.end());
        const auto& generate = std::get<decode::SignalGenerate>(made->body);
        EXPECT_EQ(generate.target_tgid, kill->target_tgid);
        EXPECT_EQ(generate.sig, kill->sig);
        EXPECT_EQ(generate.result, kill->result);
        EXPECT_EQ(made->task, events[i].task);
        EXPECT_EQ(made->time_ns, events[i].time_ns);
    }
}

/// One more SIGKILL to a process that dies already says so.
TEST_F(Kills, RepeatsAreToADyingProcess)
{
    for (const char* name : {"thawed", "frozen"}) {
        const auto made = generated(trace().capture, fact("director"), fact(name), 9);
        for (std::size_t i = 0; i < made.size(); i++) {
            EXPECT_EQ(made[i]->dying, i > 0) << name << ' ' << i;
            EXPECT_EQ(made[i]->ret, 0);
        }
    }
}

/// A sleeper in S is no D-state kill.
TEST_F(Kills, StateAtTheInstant)
{
    for (const auto& one : generated(trace().capture, fact("director"), fact("thawed"), 9)) {
        EXPECT_EQ(one->target_state, IPCSCOPE_STATE_UNINTERRUPTIBLE);
    }
    const auto leader = generated(trace().capture, fact("director"), fact("stuck_thread"), 9);
    ASSERT_EQ(leader.size(), 1u);
    EXPECT_EQ(leader[0]->target_state, IPCSCOPE_STATE_INTERRUPTIBLE);
}

}  // namespace
}  // namespace ipcscope::conformance
