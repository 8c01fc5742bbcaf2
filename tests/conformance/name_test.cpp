// SPDX-License-Identifier: GPL-2.0-only
// A thread is called as it was called at the moment of each record.
#include <algorithm>

#include <gtest/gtest.h>

#include "show.hpp"

namespace ipcscope::conformance {
namespace {

class Names : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record({}, workload_words("renamed_sender", {}));
        return trace;
    }
    static std::uint64_t sender() { return trace().facts.at("names", 0); }
    static std::uint64_t target() { return trace().facts.at("names", 1); }
    static constexpr std::pair<unsigned, const char*> kSent[] = {
        {10, "first-name"}, {12, "second-name"}, {1, "sh"}};
};

TEST_F(Names, EveryTotalIsExact)
{
    expect_lossless(trace());
}

TEST_F(Names, OfTheSender)
{
    for (const auto& [signal, name] : kSent) {
        const auto made = generated(trace().capture, sender(), target(), signal);
        ASSERT_EQ(made.size(), 1u) << name;
        EXPECT_EQ(name_of(made[0].event->task), name);
        EXPECT_EQ(name_of(made[0].event->target), "is-sent-to");
        EXPECT_EQ(made[0].event->process.text().str(), name);
        const Json row = signal_row(trace().report, sender(), target(), signal);
        EXPECT_EQ(row["sender"]["comm"], name);
        EXPECT_EQ(row["target"]["comm"], "is-sent-to");
    }
}

/// A record says when and why a thread got its name.
TEST_F(Names, ThreadRecords)
{
    std::vector<std::string> names;
    for (const auto& one : select<decode::Thread>(trace().capture, [](auto& event, auto&) {
             return event.task.tgid == sender() && event.cpu < 0xffff;
         })) {
        EXPECT_NE(one->start_ns, 0u);
        EXPECT_NE(one->cgroup, 0u);
        EXPECT_EQ(one->uid, 0u);
        EXPECT_EQ(one->ns_pid, sender());
        if (names.empty() || names.back() != name_of(one.event->task)) {
            names.push_back(name_of(one.event->task));
        }
    }
    for (const auto& [signal, name] : kSent) {
        EXPECT_TRUE(std::count(names.begin(), names.end(), name)) << name;
    }
    // Its child, by fork.
    const auto forked = select<decode::Thread>(trace().capture, [](auto& event, auto& body) {
        return event.task.tgid == target() && body.reason == IPCSCOPE_THREAD_FORK;
    });
    ASSERT_EQ(forked.size(), 1u);
    EXPECT_EQ(forked[0]->ppid, sender());
    const auto execs = select<decode::Thread>(trace().capture, [](auto& event, auto& body) {
        return event.task.tgid == sender() && body.reason == IPCSCOPE_THREAD_EXEC;
    });
    EXPECT_GE(execs.size(), 1u);
    EXPECT_EQ(name_of(execs.back().event->task), "sh");
}

/// No record about a thread comes before the one that names it.
TEST_F(Names, NoneIsUnknown)
{
    for (const decode::Event& event : trace().capture.events) {
        EXPECT_FALSE(event.task.tid != 0 && event.kind < IPCSCOPE_KIND_COUNT &&
                     event.task.comm.empty())
            << "kind " << event.kind << " of " << event.task.tid;
    }
}

}  // namespace
}  // namespace ipcscope::conformance
