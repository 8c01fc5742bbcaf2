// SPDX-License-Identifier: GPL-2.0-only
#include "source/holders.hpp"

#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "notes.hpp"
#include "source/mappings.hpp"

namespace ipcscope::source {
namespace {

using namespace ipcscope::test;

constexpr auto kForever = Holders::Deadline::max();

struct Pipe {
    Pipe() { EXPECT_EQ(pipe(ends), 0); }
    ~Pipe() { close_all(); }
    void close_all()
    {
        for (int& end : ends) {
            if (end >= 0) close(end);
            end = -1;
        }
    }
    int ends[2];
};

ipcscope_call call_on(int fd, unsigned flags = 0)
{
    struct stat info {};
    EXPECT_EQ(fstat(fd, &info), 0);
    ipcscope_call call{};
    call.header.kind = IPCSCOPE_CALL_PIPE;
    call.header.flags = static_cast<__u16>(flags);
    call.object = info.st_ino;
    call.dev = (major(info.st_dev) << 20) | minor(info.st_dev);
    call.type = IPCSCOPE_OBJECT_PIPE;
    return call;
}

/// What was found of one object, by holder.
std::map<std::uint32_t, ipcscope_holder> of(const Notes& notes, const ipcscope_call& call)
{
    std::map<std::uint32_t, ipcscope_holder> holders;
    for (const Note& note : notes_in(notes.bytes())) {
        const auto holder = note.as<ipcscope_holder>();
        if (note.header.kind == IPCSCOPE_HOLDER && holder.object == call.object &&
            holder.dev == call.dev) {
            EXPECT_TRUE(holders.emplace(note.header.tgid, holder).second);
        }
    }
    return holders;
}

struct HoldersTest : testing::Test {
    std::uint32_t own = static_cast<std::uint32_t>(getpid());
    proc::Cgroups cgroups;
    ProcessNames names;
    Notes notes;
};

TEST_F(HoldersTest, AtTheStartOfEachPipe)
{
    Pipe pipe;
    const ipcscope_call call = call_on(pipe.ends[0]);
    const Child reader([&] { close(pipe.ends[1]); });
    const Child writer([&] { close(pipe.ends[0]); });
    Holders holders({}, cgroups, names);
    ASSERT_TRUE(holders.append_all(notes, 77, kForever));
    const auto found = of(notes, call);
    ASSERT_EQ(found.size(), 3u);
    const auto is = [&](std::uint32_t pid, bool reads, bool writes) {
        const ipcscope_holder& holder = found.at(pid);
        EXPECT_EQ(holder.reads, reads) << pid;
        EXPECT_EQ(holder.writes, writes) << pid;
        EXPECT_EQ(holder.type, IPCSCOPE_OBJECT_PIPE);
        EXPECT_EQ(holder.header.time_ns, 77u);
        EXPECT_EQ(holder.header.tid, pid);
        EXPECT_EQ(holder.header.size, sizeof holder);
    };
    is(reader.pid(), true, false);
    is(writer.pid(), false, true);
    is(own, true, true);
}

TEST_F(HoldersTest, NeverItself)
{
    Pipe pipe;
    const ipcscope_call call = call_on(pipe.ends[0]);
    const Child helper([] {});
    Holders holders({own, helper.pid()}, cgroups, names);
    ASSERT_TRUE(holders.append_all(notes, 1, kForever));
    EXPECT_TRUE(of(notes, call).empty());
    holders.saw(call);
    holders.append_seen(notes, true, UINT64_MAX);
    EXPECT_TRUE(of(notes, call).empty());
}

TEST_F(HoldersTest, AtTheFirstCallAndWhereOneHasNotReturned)
{
    Pipe pipe;
    const ipcscope_call call = call_on(pipe.ends[0]);
    Holders holders({}, cgroups, names);
    const auto found = [&](const ipcscope_call& seen) {
        notes.clear();
        holders.saw(seen);
        holders.append_seen(notes, true, UINT64_MAX);
        return of(notes, call).size();
    };
    EXPECT_EQ(found(call), 1u);
    EXPECT_EQ(found(call), 0u) << "not each time";
    EXPECT_EQ(found(call_on(pipe.ends[0], IPCSCOPE_UNFINISHED)), 1u);
    const Child late([] {});
    EXPECT_EQ(found(call_on(pipe.ends[0], IPCSCOPE_UNFINISHED)), 2u);
}

TEST_F(HoldersTest, AllPipesOfWhoHoldsTheWantedOne)
{
    Pipe wanted, other;
    Holders holders({}, cgroups, names);
    holders.saw(call_on(wanted.ends[0]));
    holders.append_seen(notes, true, UINT64_MAX);
    EXPECT_EQ(of(notes, call_on(other.ends[0])).size(), 1u);
}

TEST_F(HoldersTest, NoneOfWhoHoldsNoWantedOne)
{
    Pipe other;
    ipcscope_call call = call_on(other.ends[0]);
    call.object += 1'000'000;   // no such pipe
    Holders holders({}, cgroups, names);
    holders.saw(call);
    holders.append_seen(notes, true, UINT64_MAX);
    EXPECT_TRUE(notes.empty());
}

TEST_F(HoldersTest, NotMoreOftenThanOnceAPeriod)
{
    Pipe one, two;
    Holders holders({}, cgroups, names);
    holders.saw(call_on(one.ends[0]));
    holders.append_seen(notes, false, UINT64_MAX);
    EXPECT_FALSE(notes.empty());
    notes.clear();
    holders.saw(call_on(two.ends[0]));
    holders.append_seen(notes, false, UINT64_MAX);
    EXPECT_TRUE(notes.empty());
    holders.append_seen(notes, true, UINT64_MAX);
    EXPECT_FALSE(notes.empty()) << "not forgotten";
}

TEST_F(HoldersTest, OfAYoungProcessALittleLater)
{
    Pipe pipe;
    const ipcscope_call call = call_on(pipe.ends[0]);
    const Child stays([] {}), goes([] {});
    Holders holders({}, cgroups, names);
    holders.born(stays.pid());
    holders.born(goes.pid());
    holders.append_seen(notes, false, UINT64_MAX);
    EXPECT_TRUE(of(notes, call).empty());
    holders.ended(goes.pid());
    usleep(350'000);
    holders.append_seen(notes, false, UINT64_MAX);
    const auto found = of(notes, call);
    EXPECT_EQ(found.size(), 1u);
    EXPECT_TRUE(found.contains(stays.pid()));
    notes.clear();
    holders.append_seen(notes, false, UINT64_MAX);
    EXPECT_TRUE(notes.empty()) << "once";
}

TEST_F(HoldersTest, ANameThatIsNewComesBeforeIt)
{
    Pipe pipe;
    const ipcscope_call call = call_on(pipe.ends[0], IPCSCOPE_UNFINISHED);
    const Child child([] { prctl(PR_SET_NAME, "late"); });
    Holders holders({}, cgroups, names);
    const auto named = [&] {
        notes.clear();
        holders.saw(call);
        holders.append_seen(notes, true, 1000);
        std::vector<Comm> found;
        bool holder_seen = false;
        for (const Note& note : notes_in(notes.bytes())) {
            EXPECT_EQ(note.header.time_ns, 1000u) << "not after the end";
            if (note.header.tgid != child.pid()) continue;
            holder_seen |= note.header.kind == IPCSCOPE_HOLDER;
            if (note.header.kind == IPCSCOPE_THREAD) {
                EXPECT_FALSE(holder_seen);
                found.push_back(comm_of(note.as<ipcscope_thread>()));
            }
        }
        EXPECT_TRUE(holder_seen);
        return found;
    };
    EXPECT_EQ(named(), std::vector<Comm>{"late"});
    EXPECT_EQ(named(), std::vector<Comm>{}) << "once";
}

TEST_F(HoldersTest, TheFifoByItsPath)
{
    std::string folder = (std::filesystem::temp_directory_path() / "fifo.XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/a\x1b b";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int fd = open(path.c_str(), O_RDWR);
    const ipcscope_call call = call_on(fd);
    Holders holders({}, cgroups, names);
    ASSERT_TRUE(holders.append_all(notes, 1, kForever));
    const auto found = of(notes, call);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.begin()->second.type, IPCSCOPE_OBJECT_FIFO);
    for (const Note& note : notes_in(notes.bytes())) {
        if (note.header.kind == IPCSCOPE_HOLDER &&
            note.as<ipcscope_holder>().object == call.object) {
            EXPECT_EQ(note.text<ipcscope_holder>(), path);
        }
    }
    close(fd);
    std::filesystem::remove_all(folder);
}

TEST_F(HoldersTest, NameOfAQueueByADescriptorOfItsCaller)
{
    const std::string path = "/proc/self/exe";
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ipcscope_call call = call_on(fd);
    call.header.kind = IPCSCOPE_CALL_MQUEUE;
    call.header.tgid = own;
    call.type = IPCSCOPE_OBJECT_MQUEUE;
    Holders holders({}, cgroups, names);
    holders.saw(call);
    holders.saw(call);
    holders.append_seen(notes, false, UINT64_MAX);
    EXPECT_EQ(of(notes, call).size(), 1u);
    EXPECT_EQ(of(notes, call).at(own).type, IPCSCOPE_OBJECT_MQUEUE);
    const std::string target = std::filesystem::read_symlink(path);
    EXPECT_EQ(find_name(proc::open_directory(AT_FDCWD, "/proc/self/fd"), call.dev, call.object),
              target);
    close(fd);
    EXPECT_EQ(find_name(proc::open_directory(AT_FDCWD, "/proc/self/fd"), call.dev, call.object),
              "");
}

TEST_F(HoldersTest, NameOfAFutexByTheMemoryThatItsCallerHasMapped)
{
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    ipcscope_call call{};
    call.header.kind = IPCSCOPE_CALL_FUTEX;
    call.header.tgid = own;
    call.type = IPCSCOPE_OBJECT_FUTEX;
    call.object = std::uint64_t{7} << 32 | 16;
    call.peer = reinterpret_cast<std::uint64_t>(page) + 64;
    Holders holders({}, cgroups, names);
    holders.saw(call);
    holders.saw(call);
    holders.append_seen(notes, false, UINT64_MAX);
    EXPECT_EQ(of(notes, call).size(), 1u);
    EXPECT_EQ(of(notes, call).at(own).type, IPCSCOPE_OBJECT_FUTEX);
    EXPECT_EQ(of(notes, call).at(own).reads, 0);
    EXPECT_EQ(find_mapping(own, call.peer), "anonymous shared memory");
    munmap(page, 4096);
}

TEST(Mappings, MemoryIsNamedForWhatItIs)
{
    constexpr std::string_view kMaps =
        "1000-2000 rw-s 00000000 00:01 7                          /dev/zero (deleted)\n"
        "2000-3000 rw-s 00002000 00:01 8                          /memfd:a b (deleted)\n"
        "3000-4000 rw-s 00000000 00:01 9                          /SYSV0000002a (deleted)\n"
        "4000-5000 rw-s 00000000 00:19 10                         /dev/shm/x (deleted)\n"
        "5000-6000 rw-s 00000000 00:19 11                         /dev/shm/sem.y\n"
        "6000-7000 rw-p 00000000 00:00 0 \n";
    EXPECT_EQ(find_mapping(kMaps, 0x1000), "anonymous shared memory");
    EXPECT_EQ(find_mapping(kMaps, 0x2fff), "memfd a b");
    EXPECT_EQ(find_mapping(kMaps, 0x3004), "System V shared memory, key 0x0000002a");
    EXPECT_EQ(find_mapping(kMaps, 0x4004), "/dev/shm/x (deleted)");
    EXPECT_EQ(find_mapping(kMaps, 0x5004), "/dev/shm/sem.y");
    EXPECT_EQ(find_mapping(kMaps, 0x6004), "");
    EXPECT_EQ(find_mapping(kMaps, 0x7000), "");
}

/// A call on a socket whose other end is `peer`.
ipcscope_call call_on_socket(int fd, int peer)
{
    ipcscope_call call = call_on(fd);
    call.header.kind = IPCSCOPE_CALL_UNIX;
    call.dev = 0;
    call.type = IPCSCOPE_OBJECT_UNIX_DGRAM;
    call.peer = call_on(peer).object;
    return call;
}

struct SocketPair : Pipe {
    SocketPair()
    {
        close_all();
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    }
};

TEST_F(HoldersTest, BothEndsOfASocketAtTheFirstCall)
{
    SocketPair pair;
    const Child other([&] { close(pair.ends[0]); });
    Holders holders({}, cgroups, names, true);
    const ipcscope_call call = call_on_socket(pair.ends[0], pair.ends[1]);
    holders.saw(call);
    holders.append_seen(notes, true, UINT64_MAX);
    const auto found = of(notes, call);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.at(own).type, IPCSCOPE_OBJECT_UNIX_DGRAM);
    EXPECT_TRUE(found.at(own).reads && found.at(own).writes);
    const auto peers = of(notes, call_on_socket(pair.ends[1], pair.ends[0]));
    EXPECT_EQ(peers.size(), 2u);
    EXPECT_TRUE(peers.contains(other.pid()));
}

TEST_F(HoldersTest, TheSocketByItsAddress)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = '\0' + std::string("holders\n") + std::to_string(getpid());
    name.copy(address.sun_path, name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
    const ipcscope_call call = call_on_socket(fd, fd);
    Holders holders({}, cgroups, names, true);
    ASSERT_TRUE(holders.append_all(notes, 1, kForever));
    bool seen = false;
    for (const Note& note : notes_in(notes.bytes())) {
        if (note.header.kind == IPCSCOPE_HOLDER && note.header.tgid == own &&
            note.as<ipcscope_holder>().object == call.object) {
            EXPECT_EQ(note.text<ipcscope_holder>(), "@" + name.substr(1));
            EXPECT_EQ(note.as<ipcscope_holder>().type, IPCSCOPE_OBJECT_UNIX_STREAM);
            seen = true;
        }
    }
    EXPECT_TRUE(seen);
    close(fd);
}

TEST_F(HoldersTest, NoSocketsWhereTheyAreNotTraced)
{
    SocketPair pair;
    Holders holders({}, cgroups, names);
    holders.saw(call_on_socket(pair.ends[0], pair.ends[1]));
    ASSERT_TRUE(holders.append_all(notes, 1, kForever));
    holders.append_seen(notes, true, UINT64_MAX);
    EXPECT_TRUE(of(notes, call_on_socket(pair.ends[0], pair.ends[1])).empty());
}

}  // namespace
}  // namespace ipcscope::source
