// SPDX-License-Identifier: GPL-2.0-only
// --object and --path: what is passed on, and what becomes of the rest.
#include "source/object_filter.hpp"

#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

namespace ipcscope::source {
namespace {

constexpr unsigned kCpu = 1;

/// Keeps what comes.
struct Kept final : Sink {
    Result<void> host(const Host&) override { return {}; }
    Result<void> records(unsigned, std::span<const std::byte> bytes) override
    {
        while (!bytes.empty()) {
            ipcscope_header header;
            std::memcpy(&header, bytes.data(), sizeof header);
            all.emplace_back(bytes.begin(), bytes.begin() + header.size);
            bytes = bytes.subspan(header.size);
        }
        return {};
    }
    Result<void> watermark(std::uint64_t) override { return {}; }
    Result<void> ledger(const Ledger& now) override
    {
        last = now;
        return {};
    }
    Result<void> end(std::uint64_t) override { return {}; }

    template <typename Record>
    Record at(std::size_t n) const
    {
        Record record{};
        std::memcpy(&record, all.at(n).data(), std::min(sizeof record, all.at(n).size()));
        return record;
    }

    std::vector<std::vector<std::byte>> all;
    Ledger last;
};

template <typename Record>
Record of_kind(unsigned kind, std::uint32_t tid = 7)
{
    Record record{};
    record.header.kind = static_cast<__u16>(kind);
    record.header.size = sizeof record;
    record.header.tgid = static_cast<__u32>(getpid());
    record.header.tid = tid;
    return record;
}

template <typename Record = ipcscope_call>
Record call(std::uint8_t type, std::uint64_t object, std::uint32_t dev = 0)
{
    static const std::map<std::uint8_t, unsigned> kinds{
        {IPCSCOPE_OBJECT_PIPE, IPCSCOPE_CALL_PIPE},       {IPCSCOPE_OBJECT_FIFO, IPCSCOPE_CALL_PIPE},
        {IPCSCOPE_OBJECT_UNIX_STREAM, IPCSCOPE_CALL_UNIX}, {IPCSCOPE_OBJECT_UNIX_DGRAM, IPCSCOPE_CALL_UNIX},
        {IPCSCOPE_OBJECT_SYSV_SEM, IPCSCOPE_CALL_SYSV},   {IPCSCOPE_OBJECT_FUTEX, IPCSCOPE_CALL_FUTEX},
        {IPCSCOPE_OBJECT_FUTEX_PRIVATE, IPCSCOPE_CALL_FUTEX},
    };
    Record record = of_kind<Record>(kinds.at(type));
    record.type = type;
    record.object = object;
    record.dev = dev;
    return record;
}

class Filtered {
public:
    Filtered(std::vector<std::string> objects, std::vector<std::string> paths = {})
        : filter_({.objects = std::move(objects), .paths = std::move(paths)}, kept)
    {
    }
    template <typename Record>
    bool passes(const Record& record)
    {
        const std::size_t before = kept.all.size();
        EXPECT_TRUE(filter_.records(kCpu, std::as_bytes(std::span(&record, 1))));
        return kept.all.size() > before;
    }
    ObjectFilter& sink() { return filter_; }

    Kept kept;

private:
    ObjectFilter filter_;
};

TEST(ObjectFilter, WithoutOneAllPass)
{
    Filtered all({});
    EXPECT_TRUE(all.passes(call(IPCSCOPE_OBJECT_PIPE, 12)));
}

TEST(ObjectFilter, ByKindAndNumber)
{
    for (const char* object : {"pipe:[12]", "pipe:12"}) {
        Filtered pipe({object});
        EXPECT_TRUE(pipe.passes(call(IPCSCOPE_OBJECT_PIPE, 12)));
        EXPECT_FALSE(pipe.passes(call(IPCSCOPE_OBJECT_PIPE, 13)));
        EXPECT_FALSE(pipe.passes(call(IPCSCOPE_OBJECT_UNIX_STREAM, 12)));
        EXPECT_TRUE(pipe.passes(of_kind<ipcscope_signal_take>(IPCSCOPE_SIGNAL_TAKE)));
    }
    Filtered two({"pipe:[12]", "unix:[5]"});
    EXPECT_TRUE(two.passes(call(IPCSCOPE_OBJECT_PIPE, 12)));
    EXPECT_TRUE(two.passes(call(IPCSCOPE_OBJECT_UNIX_DGRAM, 5)));
    EXPECT_FALSE(two.passes(call(IPCSCOPE_OBJECT_PIPE, 5)));
}

TEST(ObjectFilter, NumbersOfTwoParts)
{
    Filtered one({"sysv_sem:3[1]"}), set({"sysv_sem:3"});
    const std::uint64_t first = 3, second = 1ull << 32 | 3;
    EXPECT_TRUE(one.passes(call(IPCSCOPE_OBJECT_SYSV_SEM, second)));
    EXPECT_FALSE(one.passes(call(IPCSCOPE_OBJECT_SYSV_SEM, first)));
    EXPECT_TRUE(set.passes(call(IPCSCOPE_OBJECT_SYSV_SEM, first)));
    EXPECT_FALSE(set.passes(call(IPCSCOPE_OBJECT_SYSV_SEM, 4)));
    Filtered word({"futex:7:0x40"}), memory({"futex:7"});
    const std::uint64_t futex = 7ull << 32 | 0x10;
    EXPECT_TRUE(word.passes(call(IPCSCOPE_OBJECT_FUTEX, futex)));
    EXPECT_FALSE(word.passes(call(IPCSCOPE_OBJECT_FUTEX, futex + 1)));
    EXPECT_TRUE(memory.passes(call(IPCSCOPE_OBJECT_FUTEX, futex + 1)));
    EXPECT_FALSE(memory.passes(call(IPCSCOPE_OBJECT_FUTEX, 8ull << 32)));
    Filtered address({"futex:0x700000040"});
    EXPECT_TRUE(address.passes(call(IPCSCOPE_OBJECT_FUTEX_PRIVATE, 0x700000040, 12)));
    EXPECT_FALSE(address.passes(call(IPCSCOPE_OBJECT_FUTEX_PRIVATE, 0x700000044, 12)));
    EXPECT_FALSE(memory.passes(call(IPCSCOPE_OBJECT_FUTEX_PRIVATE, futex, 12)));
}

TEST(ObjectFilter, ASocketByItsPeer)
{
    Filtered socket({"unix:5"});
    auto from = call(IPCSCOPE_OBJECT_UNIX_STREAM, 4);
    EXPECT_FALSE(socket.passes(from));
    from.peer = 5;
    EXPECT_TRUE(socket.passes(from));
    auto futex = call(IPCSCOPE_OBJECT_FUTEX, 4);
    futex.peer = 5;   // an address
    EXPECT_FALSE(socket.passes(futex));
}

/// A FIFO and a socket of this process.
TEST(ObjectFilter, ByPath)
{
    const std::string folder =
        std::filesystem::temp_directory_path() / ("object_filter." + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const std::string fifo = folder + "/fifo", path = folder + "/socket";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const int ends = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{AF_UNIX, {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    struct stat about {};
    ASSERT_EQ(fstat(ends, &about), 0);
    const auto on_fifo = call(IPCSCOPE_OBJECT_FIFO, about.st_ino,
                              major(about.st_dev) << 20 | minor(about.st_dev));
    ASSERT_EQ(fstat(socket, &about), 0);
    const auto on_socket = call(IPCSCOPE_OBJECT_UNIX_STREAM, about.st_ino);

    Filtered exact({}, {fifo}), glob({}, {folder + "/*"}), other({}, {"/nowhere*"}),
        object({"unix:" + path}), both({"unix:" + path}, {fifo});
    EXPECT_TRUE(exact.passes(on_fifo));
    EXPECT_FALSE(exact.passes(on_socket));
    EXPECT_TRUE(glob.passes(on_fifo));
    EXPECT_TRUE(glob.passes(on_socket));
    EXPECT_FALSE(other.passes(on_fifo));
    EXPECT_FALSE(glob.passes(call(IPCSCOPE_OBJECT_PIPE, 12)));
    EXPECT_TRUE(object.passes(on_socket));
    EXPECT_FALSE(object.passes(on_fifo));
    EXPECT_FALSE(both.passes(on_socket));
    close(ends);
    close(socket);
    std::filesystem::remove_all(folder);
}

TEST(ObjectFilter, WhatIsLeftOutIsFiltered)
{
    Filtered pipe({"pipe:12"});
    pipe.passes(call(IPCSCOPE_OBJECT_PIPE, 12));
    pipe.passes(call(IPCSCOPE_OBJECT_PIPE, 13));
    pipe.passes(call(IPCSCOPE_OBJECT_PIPE, 14));
    Ledger ledger(2);
    ledger[kCpu].kind[IPCSCOPE_CALL_PIPE].emitted = 3;
    ledger[kCpu].kind[IPCSCOPE_CALL_PIPE].filtered = 5;
    ASSERT_TRUE(pipe.sink().ledger(ledger));
    EXPECT_EQ(pipe.kept.last[kCpu].kind[IPCSCOPE_CALL_PIPE].emitted, 1u);
    EXPECT_EQ(pipe.kept.last[kCpu].kind[IPCSCOPE_CALL_PIPE].filtered, 7u);
    EXPECT_EQ(pipe.kept.last[0].kind[IPCSCOPE_CALL_PIPE].filtered, 0u);
}

/// A thread's parts still add up to its life.
TEST(ObjectFilter, TimeInACallThatIsLeftOutIsBetweenCalls)
{
    Filtered pipe({"pipe:12"});
    auto other = call<ipcscope_call_split>(IPCSCOPE_OBJECT_PIPE, 13);
    other.since_ns = 100;
    other.enter_ns = 150;
    other.header.time_ns = 200;
    other.blocked_ns = 30;
    other.runnable_ns = 5;
    other.uninterruptible_ns = 3;
    other.between_polling_ns = 20;
    EXPECT_FALSE(pipe.passes(other));
    auto quick = call(IPCSCOPE_OBJECT_PIPE, 13);
    quick.since_ns = 200;
    quick.enter_ns = 210;
    quick.header.time_ns = 250;
    EXPECT_FALSE(pipe.passes(quick));
    auto wanted = call(IPCSCOPE_OBJECT_PIPE, 12);
    wanted.since_ns = 250;
    wanted.enter_ns = 260;
    wanted.header.time_ns = 300;
    ASSERT_TRUE(pipe.passes(wanted));
    const auto seen = pipe.kept.at<ipcscope_call_split>(0);
    EXPECT_EQ(seen.header.size, sizeof(ipcscope_call_split));
    EXPECT_EQ(seen.since_ns, 100u);
    EXPECT_EQ(seen.enter_ns, 260u);
    EXPECT_EQ(seen.blocked_ns, 0u);
    EXPECT_EQ(seen.between_sleeping_ns, 30u);
    EXPECT_EQ(seen.between_runnable_ns, 5u);
    EXPECT_EQ(seen.between_uninterruptible_ns, 3u);
    EXPECT_EQ(seen.between_polling_ns, 20u);

    // And only once; the thread's end takes it as well, another thread's does not.
    other.since_ns = 300;
    other.header.time_ns = 400;
    EXPECT_FALSE(pipe.passes(other));
    auto end = of_kind<ipcscope_thread_time>(IPCSCOPE_THREAD_EXIT, 8);
    end.since_ns = 400;
    ASSERT_TRUE(pipe.passes(end));
    EXPECT_EQ(pipe.kept.at<ipcscope_thread_time>(1).since_ns, 400u);
    end.header.tid = 7;
    ASSERT_TRUE(pipe.passes(end));
    EXPECT_EQ(pipe.kept.at<ipcscope_thread_time>(2).since_ns, 300u);
    EXPECT_EQ(pipe.kept.at<ipcscope_thread_time>(2).between_sleeping_ns, 30u);
    ASSERT_TRUE(pipe.passes(end));
    EXPECT_EQ(pipe.kept.at<ipcscope_thread_time>(3).since_ns, 400u);
}

TEST(ObjectFilter, WhatNamesNone)
{
    for (const char* text : {"", "pipe", "pipe:", "pipe:x", "pipe:[12", "12", "disk:12", "eventfd:/x",
                             "sysv_sem:3[", "sysv_sem:3[x]", "futex:7:zz", "pipe:/x"}) {
        EXPECT_FALSE(parse_object(text)) << text;
    }
    EXPECT_EQ(parse_object("socket:[9]")->object, 9u);
    EXPECT_EQ(parse_object("unix:@abstract")->path, "@abstract");
    EXPECT_EQ(parse_object("mqueue:/jobs")->path, "/jobs");
}

}  // namespace
}  // namespace ipcscope::source
