// SPDX-License-Identifier: GPL-2.0-only
#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.hpp"
#include "capture/format.hpp"
#include "helpers.hpp"

namespace ipcscope::capture {
namespace {

using namespace ipcscope::test;
using std::filesystem::file_size;

mode_t mode_of(const std::string& path)
{
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode : 0;
}

std::string text_of(const std::string& path)
{
    const Record bytes = slurp(path);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void put_text(const std::string& path, std::string_view text)
{
    spill(path, std::as_bytes(std::span{text}));
}

void expect_refused(const std::string& path, bool force, std::string_view says)
{
    const auto writer = Writer::create(path, force);
    ASSERT_FALSE(writer);
    expect_one_line(writer.error());
    EXPECT_NE(writer.error().message.find(says), std::string::npos) << writer.error().message;
}

TEST(Writer, CreatesFilesThatOnlyTheOwnerReads)
{
    const Folder folder;
    const mode_t umask = ::umask(0);
    for (const bool force : {false, true}) {
        auto writer = Writer::create(folder / "a", force);
        ASSERT_TRUE(writer && (*writer)->host({}));
        EXPECT_EQ(mode_of(folder / "a"), S_IFREG | 0600U);
    }
    ::umask(umask);
}

TEST(Writer, ATraceThatNeverBeganLeavesNothing)
{
    const Folder folder;
    put_text(folder / "a", "precious");
    ASSERT_TRUE(Writer::create(folder / "a", true));
    ASSERT_TRUE(Writer::create(folder / "b", false));
    EXPECT_EQ(text_of(folder / "a"), "precious");
    EXPECT_EQ(folder.files(), 1U);
}

TEST(Writer, KeepsAnExistingCaptureAsOld)
{
    const Folder folder;
    for (int i = 0; i < 3; ++i) {
        auto writer = Writer::create(folder / "a", false);
        ASSERT_TRUE(writer) << writer.error().message;
        ASSERT_TRUE(write_example(**writer));
    }
    EXPECT_EQ(folder.files(), 2U);
    for (const char* name : {"a", "a.old"}) {
        Memory got;
        EXPECT_EQ(replay(folder / name, got).value_or("failed"), "") << name;
    }
    const std::string before = text_of(folder / "a");
    ASSERT_TRUE(Writer::create(folder / "a", false));   // a trace that never began
    EXPECT_EQ(text_of(folder / "a"), before);
    EXPECT_EQ(folder.files(), 2U);
}

TEST(Writer, RefusesAnotherFileUnlessForced)
{
    const Folder folder;
    put_text(folder / "a", "precious");
    expect_refused(folder / "a", false, "exists and is no capture");
    EXPECT_EQ(text_of(folder / "a"), "precious");
    ::chmod((folder / "a").c_str(), 0644);
    auto writer = Writer::create(folder / "a", true);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(write_example(**writer));
    Memory got;
    EXPECT_EQ(replay(folder / "a", got).value_or("failed"), "");
    EXPECT_EQ(mode_of(folder / "a"), S_IFREG | 0600U);  // not the old one's
    EXPECT_EQ(folder.files(), 1U);
}

TEST(Writer, AReplacedFileStaysWholeForItsReaders)
{
    const Folder folder;
    put_text(folder / "a", "precious");
    const Fd old{::open((folder / "a").c_str(), O_RDONLY | O_CLOEXEC)};
    ASSERT_TRUE(Writer::create(folder / "a", true));
    char text[16] = {};
    EXPECT_EQ(::read(old.get(), text, sizeof text), 8);
    EXPECT_STREQ(text, "precious");
}

TEST(Writer, NeverFollowsASymbolicLink)
{
    const Folder folder;
    put_text(folder / "target", "precious");
    std::filesystem::create_symlink(folder / "target", folder / "link");
    std::filesystem::create_symlink(folder / "nowhere", folder / "dangling");
    for (const bool force : {false, true})
        for (const char* name : {"link", "dangling"}) {
            expect_refused(folder / name, force, "symbolic link");
            EXPECT_TRUE(S_ISLNK(mode_of(folder / name)));
        }
    EXPECT_EQ(text_of(folder / "target"), "precious");
    EXPECT_EQ(folder.files(), 3U);
}

TEST(Writer, RefusesWhereItCannotCreate)
{
    const Folder folder;
    expect_refused(folder / "no/such/folder", false, "make its folder first");
    expect_refused(folder / ".", true, "directory");
    std::filesystem::create_directory(folder / "sub");
    expect_refused(folder / "sub", true, "directory");
    EXPECT_EQ(folder.files(), 1U);
}

TEST(Writer, AFullDeviceIsSaidAtOnce)
{
    expect_refused(
        "/dev/full", false,
        "cannot write /dev/full: No space left on device after 0 bytes, 0 records can be "
        "read: free space or use -o on another filesystem");
    EXPECT_TRUE(S_ISCHR(mode_of("/dev/full")));
    expect_refused("/dev/full", true, "No space left");
    EXPECT_TRUE(S_ISCHR(mode_of("/dev/full")));  // not replaced by a file
}

TEST(Writer, DiscardsIntoADevice)
{
    for (const bool force : {false, true}) {
        auto writer = Writer::create("/dev/null", force);
        ASSERT_TRUE(writer) << writer.error().message;
        ASSERT_TRUE(write_example(**writer));
        EXPECT_GT((*writer)->bytes(), 4000U);
    }
    EXPECT_TRUE(S_ISCHR(mode_of("/dev/null")));
}

TEST(Writer, WithoutAnEndKeepsWhatItHas)
{
    const Folder folder;
    {
        auto writer = Writer::create(folder / "a", false);
        ASSERT_TRUE(writer);
        ASSERT_TRUE((*writer)->host(example_host()));
        ASSERT_TRUE((*writer)->records(1, all_records()));
    }
    Memory got;
    EXPECT_TRUE(replay(folder / "a", got).value_or("").starts_with("cut at byte"));
    EXPECT_EQ(got.records_seen.size(), std::size(kKinds) + 1);
}

TEST(Writer, AWatermarkBringsEverythingToTheFile)
{
    const Folder folder;
    auto writer = Writer::create(folder / "a", false);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->host(example_host()));
    ASSERT_TRUE((*writer)->records(1, all_records()));
    ASSERT_TRUE((*writer)->watermark(5));
    EXPECT_EQ((*writer)->bytes(), file_size(folder / "a"));
    EXPECT_EQ((*writer)->count(), std::size(kKinds) + 1);
    Memory got;
    ASSERT_TRUE(replay(folder / "a", got));
    EXPECT_EQ(got.calls.back(), "watermark 5");
}

/// Records one every 10 ms, and never a watermark.
[[noreturn]] void record_for_ever(const std::string& path)
{
    auto writer = Writer::create(path, false);
    if (!writer || !(*writer)->host(example_host())) ::_exit(1);
    for (;;) {
        if (!(*writer)->records(1, slice())) ::_exit(1);
        ::usleep(10'000);
    }
}

TEST(Writer, OneThatIsKilledHasWrittenAllButTheLastSecond)
{
    const Folder folder;
    const pid_t child = ::fork();
    if (child == 0) record_for_ever(folder / "a");
    ::usleep(2'500'000);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    Memory got;
    EXPECT_TRUE(replay(folder / "a", got).value_or("").starts_with("cut at byte"));
    ASSERT_EQ(got.hosts.size(), 1U);
    EXPECT_EQ(got.hosts[0].cpus, example_host().cpus);
    EXPECT_GT(got.records_seen.size(), 20U);
    EXPECT_FALSE(got.ended);
}

TEST(Writer, TheHostIsInTheFileAtOnce)
{
    const Folder folder;
    auto writer = Writer::create(folder / "a", false);
    ASSERT_TRUE(writer && (*writer)->host(example_host()));
    Memory got;
    ASSERT_TRUE(replay(folder / "a", got));
    ASSERT_EQ(got.hosts.size(), 1U);
    EXPECT_EQ(got.hosts[0].start_ns, example_host().start_ns);
}

/// In a process of its own, since the limit stays.
class Limited {
public:
    explicit Limited(rlim_t bytes)
    {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{bytes, bytes};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) std::abort();
    }
};

/// Writes until the limit.  @return 0 where all is as promised, else a step's number
int write_until_full(const std::string& path, rlim_t bytes)
{
    const Limited limited{bytes};
    auto writer = Writer::create(path, false);
    if (!writer) return 1;
    Result<void> done = (*writer)->host(example_host());
    for (int i = 0; done && i < 1000; ++i) {
        done = (*writer)->records(1, all_records());
        if (done && i % 3 == 0) done = (*writer)->watermark(static_cast<std::uint64_t>(i));
    }
    if (done || done.error().code != Exit::input) return 2;
    const std::string& message = done.error().message;
    if (message.find('\n') != std::string::npos ||
        message.find("File too large") == std::string::npos ||
        message.find("ulimit") == std::string::npos || message.find(path) == std::string::npos)
        return 3;
    if ((*writer)->bytes() != bytes || file_size(path) != bytes) return 4;
    if (message.find(std::to_string(bytes) + " bytes, " + std::to_string((*writer)->count()) +
                     " records can be read") == std::string::npos)
        return 5;
    Memory got;
    const auto why = replay(path, got);
    if (!why || !why->starts_with("cut at byte")) return 6;
    if (got.records_seen.size() != (*writer)->count()) return 7;
    // What fails stays failed, says the same, and writes nothing more.
    const auto again = (*writer)->end(1);
    if (again || again.error().message != message || file_size(path) != bytes) return 8;
    return 0;
}

TEST(Writer, AFullDiskKeepsWhatWasWrittenAndCountsIt)
{
    const Folder folder;
    for (rlim_t bytes = 3000; bytes < 9000; bytes += 37) {
        const std::string path = folder / std::to_string(bytes);
        const pid_t child = ::fork();
        if (child == 0) ::_exit(write_until_full(path, bytes));
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0) << bytes;
    }
}

/// Runs with the standard streams replaced, as a shell would.
template <typename F>
void with_stream(int stream, int fd, F&& run)
{
    const Fd saved{::fcntl(stream, F_DUPFD_CLOEXEC, 3)};
    ASSERT_GE(::dup2(fd, stream), 0);
    run();
    ASSERT_GE(::dup2(saved.get(), stream), 0);
}

TEST(Writer, StandardStreams)
{
    const Folder folder;
    const Fd out{::open((folder / "a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    std::fflush(stdout);
    with_stream(STDOUT_FILENO, out.get(), [] {
        auto writer = Writer::create("-", false);
        ASSERT_TRUE(writer) << writer.error().message;
        ASSERT_TRUE(write_example(**writer));
    });
    const Fd in{::open((folder / "a").c_str(), O_RDONLY | O_CLOEXEC)};
    Memory expected, got;
    ASSERT_TRUE(write_example(expected));
    with_stream(STDIN_FILENO, in.get(),
                [&] { EXPECT_EQ(replay("-", got).value_or("failed"), ""); });
    EXPECT_EQ(got.calls, expected.calls);
    EXPECT_EQ(got.records_seen, expected.records_seen);
}

TEST(Writer, ATerminalIsRefused)
{
    const Fd terminal{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)};
    ASSERT_TRUE(terminal) << "no /dev/ptmx";
    std::fflush(stdout);
    Result<std::unique_ptr<Writer>> writer;
    Result<std::unique_ptr<Reader>> reader;
    with_stream(STDOUT_FILENO, terminal.get(), [&] { writer = Writer::create("-", false); });
    with_stream(STDIN_FILENO, terminal.get(), [&] { reader = Reader::open("-"); });
    ASSERT_FALSE(writer);
    ASSERT_FALSE(reader);
    EXPECT_NE(writer.error().message.find("standard output is a terminal"), std::string::npos);
    EXPECT_NE(reader.error().message.find("standard input is a terminal"), std::string::npos);
}

TEST(Writer, AReaderThatLeftIsAnError)
{
    std::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Fd out{ends[1]};
    ::close(ends[0]);
    std::fflush(stdout);
    Result<std::unique_ptr<Writer>> writer;
    with_stream(STDOUT_FILENO, out.get(), [&] { writer = Writer::create("-", false); });
    ASSERT_FALSE(writer);
    expect_one_line(writer.error());
    EXPECT_NE(writer.error().message.find("its reader has gone"), std::string::npos);
}

}  // namespace
}  // namespace ipcscope::capture
