// SPDX-License-Identifier: GPL-2.0-only
// A /proc tree of our own making: reading /proc/PID/syscall takes privileges.
#include "source/calls_before.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include <fmt/format.h>

#include "notes.hpp"

namespace ipcscope::source {
namespace {

using namespace ipcscope::test;
namespace fs = std::filesystem;

constexpr std::uint32_t kPid = 0x7ffffff0, kThread = 0x7ffffff1;
constexpr std::uint64_t kStart_ns = 77;

struct CallsBeforeTest : testing::Test {
    fs::path root = fs::temp_directory_path() / fmt::format("calls-{}", getpid());
    int ends[2];
    std::unique_ptr<ThreadStacks> stacks;
    Options options;

    CallsBeforeTest() { EXPECT_EQ(pipe(ends), 0); }
    ~CallsBeforeTest() override
    {
        close(ends[0]);
        close(ends[1]);
        fs::remove_all(root);
    }

    void put(std::uint32_t tid, const std::string& file, const std::string& text)
    {
        const fs::path path = root / fmt::format("{}/task/{}/{}", kPid, tid, file);
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    /// Asleep in a call with descriptor 3, which is an end of our pipe.
    void thread(std::uint32_t tid, std::string_view wait_channel, unsigned syscall,
                unsigned switches = 5)
    {
        put(tid, "wchan", std::string(wait_channel));
        put(tid, "syscall", fmt::format("{} 0x3 0x7ffe 0x100 0x0 0x0 0x0 0x1 0x2\n", syscall));
        put(tid, "status", fmt::format("Name:\thead\nTgid:\t{}\nPid:\t{}\nNSpid:\t{}\n"
                                       "voluntary_ctxt_switches:\t{}\n"
                                       "nonvoluntary_ctxt_switches:\t2\n",
                                       kPid, tid, tid, switches));
        put(tid, "cgroup", "0::/a\n");
        const fs::path link = root / fmt::format("{}/fd/3", kPid);
        fs::create_directories(link.parent_path());
        if (!fs::exists(fs::symlink_status(link))) {
            fs::create_symlink(fmt::format("/proc/{}/fd/{}", getpid(), ends[1]), link);
        }
    }
    std::unique_ptr<CallsBefore> look()
    {
        if (!stacks) stacks = std::make_unique<ThreadStacks>(root.string());
        return std::make_unique<CallsBefore>(options, *stacks, root.string());
    }
    std::vector<Note> noted(CallsBefore& calls)
    {
        Notes notes;
        const auto found = calls.append(notes, kStart_ns);
        auto noted = notes_in(notes.bytes());
        EXPECT_EQ(found.size(), noted.size());
        for (std::size_t at = 0; at < std::min(found.size(), noted.size()); ++at) {
            EXPECT_EQ(found[at].object, noted[at].as<ipcscope_call_split>().object);
        }
        return noted;
    }
};

TEST_F(CallsBeforeTest, ByTheStackWhereTheKernelTellsNoWaitChannel)
{
    thread(kPid, "0", 1);
    put(kPid, "stack", "[<0>] pipe_write+0x37f/0x680\n[<0>] vfs_write+0x1e1/0x270\n");
    thread(kThread, "0", 0);
    put(kThread, "stack", "[<0>] unix_stream_read_generic+0x7f/0xb0\n[<0>] pipe_read+0x1/0x2\n");
    const auto calls = look();
    const auto notes = noted(*calls);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].header.tid, kPid);
    EXPECT_EQ(notes[0].as<ipcscope_call_split>().op, IPCSCOPE_OP_WRITE);
}

TEST_F(CallsBeforeTest, AThreadThatHasSleptInAWriteAllAlong)
{
    thread(kPid, "pipe_write", 1);
    thread(kThread, "anon_pipe_read", 0);
    const auto calls = look();
    const auto notes = noted(*calls);
    ASSERT_EQ(notes.size(), 2u);
    struct stat info {};
    ASSERT_EQ(fstat(ends[1], &info), 0);
    const auto write = notes[0].as<ipcscope_call_split>();
    EXPECT_EQ(write.header.kind, IPCSCOPE_CALL_PIPE);
    EXPECT_EQ(write.header.size, sizeof write);
    EXPECT_EQ(write.header.flags, IPCSCOPE_BEFORE_TRACE | IPCSCOPE_UNFINISHED);
    EXPECT_EQ(write.header.tgid, kPid);
    EXPECT_EQ(write.header.tid, kPid);
    EXPECT_EQ(write.header.time_ns, kStart_ns);
    EXPECT_EQ(write.since_ns, kStart_ns);
    EXPECT_EQ(write.enter_ns, kStart_ns);
    EXPECT_EQ(write.object, info.st_ino);
    EXPECT_EQ(write.op, IPCSCOPE_OP_WRITE);
    EXPECT_EQ(write.requested, 256u);
    EXPECT_EQ(notes[1].as<ipcscope_call_split>().op, IPCSCOPE_OP_READ);
    EXPECT_EQ(notes[1].header.tid, kThread);
}

TEST_F(CallsBeforeTest, ASpliceByThePipeThatItWaitsFor)
{
    thread(kPid, "pipe_wait_writable", 1);
    // splice(9, NULL, 3, ...): the third argument is the descriptor that it fills.
    put(kPid, "syscall", "275 0x9 0x0 0x3 0x0 0x10000 0x0 0x7ffc 0x7f00");
    const auto calls = look();
    const auto notes = noted(*calls);
    ASSERT_EQ(notes.size(), 1u);
    const auto call = notes[0].as<ipcscope_call_split>();
    EXPECT_EQ(call.header.kind, IPCSCOPE_CALL_SPLICE);
    EXPECT_EQ(call.op, IPCSCOPE_OP_SPLICE_OUT);
    EXPECT_EQ(call.requested, 0u);
    thread(kPid, "pipe_wait_readable", 0);
    put(kPid, "syscall", "275 0x3 0x0 0x9 0x0 0x10000 0x0 0x7ffc 0x7f00");
    const auto reads = look();
    const auto input = noted(*reads);
    ASSERT_EQ(input.size(), 1u);
    EXPECT_EQ(input[0].as<ipcscope_call_split>().op, IPCSCOPE_OP_SPLICE_IN);
}

TEST_F(CallsBeforeTest, OneThatHasRunSinceIsNotTold)
{
    thread(kPid, "pipe_write", 1);
    const auto calls = look();
    EXPECT_EQ(calls->size(), 1u);
    thread(kPid, "pipe_write", 1, 6);
    EXPECT_TRUE(noted(*calls).empty());
}

TEST_F(CallsBeforeTest, OneThatHasBegunOrEndedSinceIsNotTold)
{
    thread(kPid, "do_wait", 61);
    const auto none = look();
    thread(kPid, "pipe_write", 1);
    EXPECT_TRUE(noted(*none).empty());
    const auto one = look();
    thread(kPid, "do_wait", 61);
    EXPECT_TRUE(noted(*one).empty());
    const auto gone = look();
    fs::remove_all(root / std::to_string(kPid));
    EXPECT_TRUE(noted(*gone).empty());
}

TEST_F(CallsBeforeTest, OtherSleepsAreNotCalls)
{
    thread(kPid, "pipe_wait_readable", 0);   // no read() sleeps there
    thread(kThread, "do_sys_poll", 7);
    EXPECT_EQ(look()->size(), 0u);
}

TEST_F(CallsBeforeTest, AsTheFiltersSay)
{
    thread(kPid, "pipe_write", 1);
    options.filters.pids = {kPid};
    EXPECT_EQ(look()->size(), 1u);
    options.filters.comms = {"head"};
    EXPECT_EQ(look()->size(), 1u);
    options.filters.comms = {"hea"};
    EXPECT_EQ(look()->size(), 0u);
    options.filters.comms = {};
    options.filters.pids = {1};
    EXPECT_EQ(look()->size(), 0u);
    options.filters.pids = {};
    options.filters.cgroups = {root.string()};
    EXPECT_EQ(look()->size(), 0u);
    options.filters.cgroups = {};
    options.families = IPCSCOPE_FAMILY_SIGNALS;
    EXPECT_EQ(look()->size(), 0u);
    options.families = IPCSCOPE_FAMILY_PIPES;
    options.command_pid = 7;
    EXPECT_EQ(look()->size(), 0u) << "of a command nothing else is traced";
}

}  // namespace
}  // namespace ipcscope::source
