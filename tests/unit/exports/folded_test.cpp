// SPDX-License-Identifier: GPL-2.0-only
#include <sstream>

#include "../decode/hostile.hpp"
#include "story.hpp"

namespace ipcscope::exports::test {
namespace {

using ipcscope::test::Folder;

TEST(Folded, StoryInFrames)
{
    Folder folder;
    EXPECT_EQ(exported(folder / "t", folded, plain_story),
              "killer;sleeping 5290000000\n"
              "reader;read pipe;runnable 500000\n"
              "reader;read pipe;waits for data;woken by writer 30000000\n"
              "reader;sleeping 5200000000\n"
              "writer;uninterruptible;nfs_wait+0x12/0x40;io_schedule+0x46/0x80 200000000\n");
}

/// A long stay as runnable inside of a call has a slice, and is in the call's sum.
TEST(Folded, RunnableIsNoWait)
{
    Folder folder;
    const std::string text = exported(folder / "t", folded, [](source::Sink& sink) {
        Records records(sink);
        records.thread(0, 100, "reader");
        records.slice(20, 26, 100, IPCSCOPE_STATE_RUNNABLE, 0, IPCSCOPE_CALL_PIPE);
        records.call(0, 10, 30, 100, false, 7, 4096, {10, 6, 0, 10});
        records.end(40);
    });
    EXPECT_EQ(text, "reader;read pipe;runnable 6000000\n"
                    "reader;read pipe;waits for data 10000000\n");
}

TEST(Folded, SeparatorInANameIsEscaped)
{
    Folder folder;
    const std::string text = exported(folder / "t", folded, [](source::Sink& sink) {
        Records records(sink);
        records.thread(0, 100, "a;b c\n9");
        records.time_of(0, 10, 100, {4, 0}, false);
        records.end(10);
    });
    EXPECT_EQ(text, "a\\x3bb c\\x0a9;sleeping 4000000\n");
}

TEST(Folded, RandomRecordsAreLines)
{
    Folder folder;
    std::istringstream lines(exported(folder / "t", folded, [&](source::Sink& sink) {
        ipcscope::test::Random random{3};
        std::uint64_t now = kStart_ns;
        for (std::size_t i = 0; i < ipcscope::test::hostile_records() / 4; ++i) {
            EXPECT_TRUE(sink.records(
                i % 4, ipcscope::test::any_record(random, now += random.below(100))));
        }
        EXPECT_TRUE(sink.end(now));
    }));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        const std::size_t space = line.rfind(' ');
        ASSERT_NE(space, std::string::npos);
        EXPECT_EQ(line.find_first_not_of("0123456789", space + 1), std::string::npos) << line;
        EXPECT_EQ(line.find(";;"), std::string::npos) << line;
        for (const char byte : line) {
            EXPECT_GE(static_cast<unsigned char>(byte), ' ');
        }
    }
    EXPECT_GT(count, 10u);
}

}  // namespace
}  // namespace ipcscope::exports::test
