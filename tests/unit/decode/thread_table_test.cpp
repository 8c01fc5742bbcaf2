// SPDX-License-Identifier: GPL-2.0-only
#include "decode/thread_table.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace ipcscope::decode {
namespace {

/// A stream of events through one table; every one with a later time.
struct Fixture {
    ThreadTable table;
    std::uint64_t now = 1000;
    std::uint64_t lost = 0;

    Event event(std::uint32_t tgid, std::uint32_t tid, Body body)
    {
        Event event;
        event.time_ns = now;
        event.lost_before = lost;
        event.task = {tgid, tid, {}};
        event.body = std::move(body);
        return event;
    }
    Event stamp(Event event)
    {
        table.stamp(event);
        return event;
    }
    Event act(std::uint32_t tgid, std::uint32_t tid)
    {
        ++now;
        return stamp(event(tgid, tid, Slice{}));
    }
    Event send(std::uint32_t tgid, std::uint32_t target_tgid, std::uint32_t target_tid)
    {
        ++now;
        Event generate = event(tgid, tgid, SignalGenerate{});
        generate.target = {target_tgid, target_tid, {}};
        return stamp(std::move(generate));
    }
    /// Written just before the next event, at its time.
    Event named(std::uint32_t tgid, std::uint32_t tid, std::string_view comm)
    {
        Thread body{};
        std::memcpy(body.comm, comm.data(), std::min(comm.size(), sizeof body.comm));
        body.ppid = 77;
        body.start_ns = 55;
        Event thread = event(tgid, tid, body);
        ++thread.time_ns;
        return stamp(std::move(thread));
    }
    void freed(std::uint32_t tgid, std::uint32_t tid)
    {
        ++now;
        stamp(event(tgid, tid, ThreadFree{}));
    }
};

TEST(ThreadTable, NamesAsOfTheTime)
{
    Fixture f;
    EXPECT_TRUE(f.act(1, 1).task.comm.empty());
    EXPECT_EQ(f.named(1, 1, "bash").task.comm, Comm("bash"));
    EXPECT_EQ(f.act(1, 1).task.comm, Comm("bash"));
    f.named(1, 1, "a name of 16 byt");
    EXPECT_EQ(f.act(1, 1).task.comm, Comm("a name of 16 byt"));
    ASSERT_NE(f.table.find(1), nullptr);
    EXPECT_EQ(f.table.find(1)->ppid, 77U);
    EXPECT_EQ(f.table.find(1)->start_ns, 55U);
}

TEST(ThreadTable, NamesProcessAndTarget)
{
    Fixture f;
    f.named(1, 1, "leader");
    f.named(1, 2, "worker");
    f.named(5, 6, "target");
    const Event event = f.act(1, 2);
    EXPECT_EQ(event.task.comm, Comm("worker"));
    EXPECT_EQ(event.process, Comm("leader"));
    EXPECT_TRUE(event.target.comm.empty());
    const Event sent = f.send(1, 5, 6);
    EXPECT_EQ(sent.process, Comm("leader"));
    EXPECT_EQ(sent.target.comm, Comm("target"));
    EXPECT_TRUE(f.act(9, 2).process.empty());
}

TEST(ThreadTable, ForgetsWhatIsFreed)
{
    Fixture f;
    f.named(1, 2, "worker");
    f.freed(1, 2);
    EXPECT_EQ(f.table.size(), 0U);
    EXPECT_TRUE(f.act(1, 2).task.comm.empty());
}

TEST(ThreadTable, AnotherProcessesThreadOfThatNumberIsAnother)
{
    Fixture f;
    f.named(1, 2, "worker");   // its free was lost
    EXPECT_TRUE(f.act(3, 2).task.comm.empty());
    EXPECT_TRUE(f.send(9, 3, 2).target.comm.empty());
}

TEST(ThreadTable, AfterALossANameIsUnknownRatherThanWrong)
{
    Fixture f;
    f.named(1, 1, "old");
    f.named(5, 5, "target");
    f.send(1, 5, 5);
    f.lost = 1;   // perhaps a rename
    const Event after = f.send(1, 5, 5);
    EXPECT_TRUE(after.task.comm.empty());
    EXPECT_TRUE(after.process.empty());
    EXPECT_TRUE(after.target.comm.empty());
    // The backend would have written it again, had it been one.
    EXPECT_EQ(f.send(1, 5, 5).task.comm, Comm("old"));
}

TEST(ThreadTable, ANameGivenAfterALossCounts)
{
    Fixture f;
    f.named(1, 1, "old");
    f.named(5, 5, "target");
    f.send(1, 5, 5);
    f.lost = 1;
    f.named(1, 1, "new");
    EXPECT_EQ(f.send(1, 5, 5).task.comm, Comm("new"));
    f.lost = 2;
    f.named(1, 1, "newer");
    f.lost = 3;   // the target's
    const Event sent = f.send(1, 5, 5);
    EXPECT_EQ(sent.task.comm, Comm("newer"));
    EXPECT_TRUE(sent.target.comm.empty());
}

TEST(ThreadTable, EachCpuLosesItsOwn)
{
    Fixture f;
    f.named(1, 1, "bash");
    f.act(1, 1);
    f.lost = 4;
    EXPECT_TRUE(f.act(1, 1).task.comm.empty());
    f.lost = 3;
    ++f.now;
    Event other = f.event(1, 1, Slice{});
    other.cpu = 1;
    EXPECT_TRUE(f.stamp(other).task.comm.empty());   // the first that CPU 1 shows
    EXPECT_EQ(f.stamp(other).task.comm, Comm("bash"));
}

}  // namespace
}  // namespace ipcscope::decode
