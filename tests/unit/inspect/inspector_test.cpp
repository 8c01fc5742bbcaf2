// SPDX-License-Identifier: GPL-2.0-only
// Real processes with known objects, looked at as a user would.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <csignal>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "inspect/inspector.hpp"
#include "inspect/ipc_objects.hpp"

namespace ipcscope::inspect {
namespace {

/// A child that says when it is about to begin its last call, and is then given time to.
class Child {
public:
    explicit Child(const std::function<void(const std::function<void()>& ready)>& body)
    {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            body([&] { [[maybe_unused]] const auto n = write(ends[1], "x", 1); });
            _exit(0);
        }
        char byte = 0;
        EXPECT_EQ(read(ends[0], &byte, 1), 1);
        close(ends[0]);
        close(ends[1]);
    }
    ~Child()
    {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

    /// Looks until `seen`, for a call takes a moment to begin.
    Process look(const std::function<bool(const Process&)>& seen) const
    {
        Process process;
        for (int attempt = 0; attempt < 200; ++attempt) {
            auto found = Inspector().look(pid());
            EXPECT_TRUE(found) << found.error().message;
            process = std::move(*found);
            if (seen(process)) {
                break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        EXPECT_TRUE(seen(process));
        return process;
    }
    Process look_when_in(std::string_view call) const
    {
        return look([&](const Process& process) {
            return !process.threads.empty() && process.threads[0].call == call;
        });
    }

private:
    pid_t pid_ = 0;
};

const Item* item_with(const Process& process, std::uint32_t descriptor)
{
    const auto found = std::ranges::find_if(process.items, [&](const Item& item) {
        return std::ranges::count(item.descriptors, descriptor) != 0;
    });
    return found == process.items.end() ? nullptr : &*found;
}

const Item* item_of(const Process& process, Kind kind)
{
    const auto found = std::ranges::find(process.items, kind, &Item::kind);
    return found == process.items.end() ? nullptr : &*found;
}

const Holder* holder(const Item& item, std::uint32_t pid)
{
    const auto found = std::ranges::find(item.others, pid, &Holder::pid);
    return found == item.others.end() ? nullptr : &*found;
}

std::uint32_t self() { return static_cast<std::uint32_t>(getpid()); }

// Both ends of a pipe, each by the process that has it and the call that waits for it.
TEST(Inspector, Pipe)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Child writer([&](const auto& ready) {
        close(ends[0]);
        ready();
        char block[4096] = {};
        while (write(ends[1], block, sizeof block) > 0) {
        }
    });
    const Child reader([&](const auto& ready) {
        close(ends[1]);
        ready();
        pause();
    });
    close(ends[0]);
    close(ends[1]);

    const Process process = writer.look_when_in("write");
    const Item* pipe = item_with(process, static_cast<std::uint32_t>(ends[1]));
    ASSERT_NE(pipe, nullptr);
    EXPECT_EQ(pipe->kind, Kind::pipe);
    EXPECT_TRUE(pipe->writes);
    EXPECT_FALSE(pipe->reads);
    ASSERT_EQ(pipe->waiting.size(), 1u);
    EXPECT_EQ(pipe->waiting[0].call, "write");
    EXPECT_EQ(pipe->waiting[0].tid, writer.pid());
    const Holder* other = holder(*pipe, reader.pid());
    ASSERT_NE(other, nullptr);
    EXPECT_TRUE(other->reads);
    EXPECT_FALSE(other->writes);
    EXPECT_TRUE(other->waiting.empty());   // it pauses

    const Process seen = reader.look_when_in("pause");
    const Item* its = item_with(seen, static_cast<std::uint32_t>(ends[0]));
    ASSERT_NE(its, nullptr);
    const Holder* blocked = holder(*its, writer.pid());
    ASSERT_NE(blocked, nullptr);
    ASSERT_EQ(blocked->waiting.size(), 1u);
    EXPECT_EQ(blocked->waiting[0].call, "write");
}

TEST(Inspector, PipeThatNobodyReads)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Child child([&](const auto& ready) {
        close(ends[0]);
        ready();
        pause();
    });
    close(ends[0]);
    close(ends[1]);
    const Process process = child.look_when_in("pause");
    const Item* pipe = item_with(process, static_cast<std::uint32_t>(ends[1]));
    ASSERT_NE(pipe, nullptr);
    EXPECT_TRUE(pipe->others.empty());
    EXPECT_FALSE(pipe->is_read());
    EXPECT_TRUE(pipe->is_written());
}

TEST(Inspector, Fifo)
{
    char directory[] = "/tmp/inspect.XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    const std::string path = std::string(directory) + "/a fifo";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int fifo = open(path.c_str(), O_RDWR | O_CLOEXEC);
    const Child child([&](const auto& ready) {
        ready();
        pollfd polled{fifo, POLLIN, 0};
        poll(&polled, 1, -1);
    });
    const Process process = child.look_when_in("poll");
    const Item* item = item_with(process, static_cast<std::uint32_t>(fifo));
    ASSERT_NE(item, nullptr);
    EXPECT_EQ(item->kind, Kind::fifo);
    EXPECT_EQ(item->name, path);
    EXPECT_EQ(item->waiting.size(), 1u);   // by the words of poll() in its memory
    close(fifo);
    unlink(path.c_str());
    rmdir(directory);
}

/// The other end of a connection, and a socket that listens with an abstract address.
TEST(Inspector, UnixSockets)
{
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = fmt::format("inspect\n{}", getpid());
    name.copy(address.sun_path + 1, name.size());
    const int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
              0);
    ASSERT_EQ(listen(listening, 3), 0);
    const Child child([&](const auto& ready) {
        close(ends[0]);
        ready();
        char byte = 0;
        [[maybe_unused]] const auto n = recv(ends[1], &byte, 1, 0);
    });
    const Child other([&](const auto& ready) {
        close(ends[1]);
        close(listening);
        ready();
        pause();
    });
    close(ends[0]);
    close(ends[1]);
    const Process process = child.look_when_in("recv");
    const Item* connected = item_with(process, static_cast<std::uint32_t>(ends[1]));
    ASSERT_NE(connected, nullptr);
    EXPECT_EQ(connected->kind, Kind::unix_seqpacket);
    EXPECT_EQ(connected->waiting.size(), 1u);
    const Item* listens = item_with(process, static_cast<std::uint32_t>(listening));
    ASSERT_NE(listens, nullptr);
    EXPECT_EQ(listens->kind, Kind::unix_stream);
    ASSERT_NE(holder(*listens, self()), nullptr);
    EXPECT_FALSE(holder(*listens, self())->peer);   // the same socket
    close(listening);
    const bool diagnosed =
        std::ranges::none_of(process.gaps, [](const std::string& gap) {
            return gap.starts_with("the other ends of Unix-domain sockets");
        });
    if (!diagnosed) {
        return;   // a kernel without unix_diag: the gap says so
    }
    EXPECT_EQ(listens->name, std::string(1, '\0') + name);
    EXPECT_TRUE(std::get<UnixSocket>(listens->state).listening);
    ASSERT_NE(holder(*connected, other.pid()), nullptr);
    EXPECT_TRUE(holder(*connected, other.pid())->peer);
}

TEST(Inspector, DescriptorsWithoutAnOtherEnd)
{
    const Child child([](const auto& ready) {
        const int event = eventfd(7, EFD_SEMAPHORE);
        dup2(event, 100);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        dup2(signalfd(-1, &set, 0), 101);
        raise(SIGUSR1);
        kill(getpid(), SIGUSR1);
        const int epoll = epoll_create1(0);
        epoll_event wanted{};
        wanted.events = EPOLLOUT | EPOLLET;
        epoll_ctl(epoll, EPOLL_CTL_ADD, 100, &wanted);
        dup2(epoll, 102);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGTERM, [](int) {});
        ready();
        epoll_event got{};
        epoll_wait(102, &got, 1, -1);
        epoll_wait(102, &got, 1, -1);
    });
    const Process process = child.look_when_in("epoll_wait");
    const Item* event = item_with(process, 100);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(std::get<Eventfd>(event->state).count, 7u);
    EXPECT_EQ(event->descriptors.back(), 100u);   // and that which it was made as
    EXPECT_EQ(event->waiting.size(), 1u);         // through epoll
    ASSERT_NE(item_with(process, 101), nullptr);
    EXPECT_EQ(std::get<Signalfd>(item_with(process, 101)->state).mask, 1u << (SIGUSR1 - 1));
    ASSERT_NE(item_with(process, 102), nullptr);
    EXPECT_EQ(std::get<Epoll>(item_with(process, 102)->state).watched,
              std::vector<std::uint32_t>{100});
    const std::uint64_t usr1 = 1u << (SIGUSR1 - 1);
    EXPECT_EQ(process.pending & usr1, usr1);
    EXPECT_EQ(process.threads[0].pending, usr1);
    EXPECT_EQ(process.threads[0].blocked & usr1, usr1);
    EXPECT_NE(process.ignored & 1u << (SIGPIPE - 1), 0u);
    EXPECT_NE(process.caught & 1u << (SIGTERM - 1), 0u);
    EXPECT_GE(process.queued, 2u);
    EXPECT_GT(process.queue_limit, 2u);
    EXPECT_EQ(process.ppid, self());
}

TEST(Inspector, MessageQueue)
{
    const std::string name = fmt::format("/inspect-{}", getpid());
    const mqd_t queue = mq_open(name.c_str(), O_CREAT | O_RDWR, 0600, nullptr);
    ASSERT_GE(queue, 0);
    const Child child([&](const auto& ready) {
        ready();
        char text[8192];
        mq_receive(queue, text, sizeof text, nullptr);
    });
    const Process process = child.look_when_in("mq_timedreceive");
    const Item* item = item_with(process, static_cast<std::uint32_t>(queue));
    ASSERT_NE(item, nullptr);
    EXPECT_EQ(item->kind, Kind::message_queue);
    EXPECT_EQ(item->name, name);
    EXPECT_EQ(item->waiting.size(), 1u);
    EXPECT_NE(holder(*item, self()), nullptr);
    mq_close(queue);
    mq_unlink(name.c_str());
}

/// A thread in a futex of shared memory waits for that memory.
TEST(Inspector, SharedMemory)
{
    auto* memory = static_cast<int*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(memory, MAP_FAILED);
    const Child child([&](const auto& ready) {
        ready();
        syscall(SYS_futex, memory + 1024, 0 /* FUTEX_WAIT */, 0, nullptr, nullptr, 0);
    });
    const Process process = child.look_when_in("futex");
    const Item* item = item_of(process, Kind::shared_memory);
    ASSERT_NE(item, nullptr);
    EXPECT_TRUE(item->descriptors.empty());
    EXPECT_EQ(item->bytes, 8192u);
    ASSERT_EQ(item->waiting.size(), 1u);
    EXPECT_EQ(item->waiting[0].call, "futex");
    EXPECT_NE(holder(*item, self()), nullptr);
    munmap(memory, 8192);
}

TEST(Inspector, ThreadLeadsToItsProcess)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Child child([&](const auto& ready) {
        std::thread([&] {
            prctl(PR_SET_NAME, "worker\n");
            const pid_t tid = gettid();
            [[maybe_unused]] auto n = write(ends[1], &tid, sizeof tid);
            ready();
            pause();
        }).join();
    });
    pid_t tid = 0;
    ASSERT_EQ(read(ends[0], &tid, sizeof tid), static_cast<ssize_t>(sizeof tid));
    auto found = Inspector().look(static_cast<std::uint32_t>(tid));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->pid, child.pid());
    EXPECT_EQ(found->all_threads, 2u);
    ASSERT_EQ(found->threads.size(), 2u);
    EXPECT_EQ(found->threads[1].comm, Comm("worker\n"));
    close(ends[0]);
    close(ends[1]);
}

TEST(Inspector, NoSuchProcess)
{
    const auto found = Inspector().look(4'000'000'000);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Exit::input);
}

// An eventfd that two have is one object; a pipe's end is found among ten thousand.
TEST(Inspector, TenThousandDescriptors)
{
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 10100);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t number = std::min<rlim_t>(limit.rlim_cur - 100, 10000);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Child child([&](const auto& ready) {
        int more[2] = {};
        while (static_cast<rlim_t>(more[1]) < number && pipe(more) == 0) {
        }
        dup2(ends[1], more[0]);
        ready();
        pause();
    });
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    close(ends[1]);
    const auto begin = std::chrono::steady_clock::now();
    const Process process = child.look_when_in("pause");
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(process.all_descriptors, number - 100);
    const Item* item = item_with(process, static_cast<std::uint32_t>(ends[1]));
    ASSERT_NE(item, nullptr);
    EXPECT_NE(holder(*item, self()), nullptr);
    EXPECT_LT(took, std::chrono::seconds(10));   // a second on an idle machine
    close(ends[0]);
}

TEST(IpcObjects, SemaphoreThatIsWaitedFor)
{
    const int set = semget(IPC_PRIVATE, 3, 0600);
    ASSERT_GE(set, 0);
    const Child child([&](const auto& ready) {
        ready();
        sembuf operation{2, -1, 0};
        semop(set, &operation, 1);
    });
    child.look([](const Process& process) {   // some libraries have no semop of their own
        return !process.threads.empty() && process.threads[0].call.starts_with("sem");
    });
    const auto spaces = ipc_namespaces();
    ASSERT_FALSE(spaces.empty());
    EXPECT_TRUE(spaces[0].own);
    const auto found = std::ranges::find(spaces[0].sets, set, &SemaphoreSet::id);
    ASSERT_NE(found, spaces[0].sets.end());
    EXPECT_EQ(found->semaphores, 3u);
    ASSERT_EQ(found->waited.size(), 1u);
    EXPECT_EQ(found->waited[0].number, 2u);
    EXPECT_EQ(found->waited[0].waiting, 1u);
    semctl(set, 0, IPC_RMID);
    const auto limit = std::ranges::find(spaces[0].limits, "semaphore sets", &Limit::what);
    ASSERT_NE(limit, spaces[0].limits.end());
    EXPECT_GE(limit->used, 1u);
    EXPECT_GT(limit->most, 1u);
}

}  // namespace
}  // namespace ipcscope::inspect
