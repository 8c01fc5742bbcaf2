// SPDX-License-Identifier: GPL-2.0-only
// What slept in D or K as the trace ended.
#include <gtest/gtest.h>

#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

aggregate::Report report_of(std::uint64_t start_ns, std::uint64_t end_ns)
{
    aggregate::Report report;
    report.host.start_ns = kSecond;
    report.end_ns = end_ns;
    report.stuck.push_back({{130, 0, Comm("ls")}, 130, decode::State::uninterruptible, 5000,
                            start_ns, end_ns});
    return report;
}

TEST(DStates, AreNamedWithTheirCall)
{
    const Findings found = diagnose(report_of(kSecond, 6 * kSecond));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, Code::d_state);
    EXPECT_EQ(plain(found[0].text), "130 (ls) was in uninterruptible sleep (D), in system call "
                                    "5000, from before the trace to its end, for 5.00 s of it.");
    EXPECT_EQ(found[0].subjects.at(0).task.tgid, 130u);
    EXPECT_FALSE(saw_nothing(report_of(kSecond, 6 * kSecond)));
}

TEST(DStates, ThatBeganInTheTrace)
{
    const Findings found = diagnose(report_of(3 * kSecond, 6 * kSecond));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(plain(found[0].text).find("for 3.00 s when the trace ended."), std::string::npos)
        << found[0].text;
}

TEST(DStates, AShortOneIsNone)
{
    EXPECT_TRUE(diagnose(report_of(6 * kSecond - 800'000'000, 6 * kSecond)).empty());
}

}  // namespace
}  // namespace ipcscope::diagnose
