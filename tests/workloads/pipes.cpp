// SPDX-License-Identifier: GPL-2.0-only
// Pipes and FIFOs whose every call is known.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr std::size_t kPage = 4096;

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

struct Ends {
    int read_fd = -1;
    int write_fd = -1;
    void close_reader() { close(read_fd); read_fd = -1; }
    void close_writer() { close(write_fd); write_fd = -1; }
    ~Ends()
    {
        if (read_fd >= 0) close(read_fd);
        if (write_fd >= 0) close(write_fd);
    }
};

/// fact: NAME inode device, the latter as the kernel writes it.
void report_object(const char* name, int fd)
{
    struct stat info {};
    MUST(fstat(fd, &info) == 0);
    const std::uint64_t device = (static_cast<std::uint64_t>(major(info.st_dev)) << 20) |
                                 minor(info.st_dev);
    fact(name, {info.st_ino, device});
}

Ends make(const char* name, int flags = 0, std::size_t slots = 0)
{
    Ends ends;
    MUST(pipe2(&ends.read_fd, flags | O_CLOEXEC) == 0);
    if (slots > 0) {
        MUST(fcntl(ends.write_fd, F_SETPIPE_SZ, slots * kPage) ==
             static_cast<int>(slots * kPage));
    }
    report_object(name, ends.read_fd);
    return ends;
}

void put(int fd, std::size_t size)
{
    const std::vector<char> data(size, 'x');
    MUST(write(fd, data.data(), size) == static_cast<ssize_t>(size));
}

void get(int fd, std::size_t size)
{
    std::vector<char> data(size);
    MUST(read(fd, data.data(), size) == static_cast<ssize_t>(size));
}

/// One after another in one task: never more than one slot in use.
void in_turn()
{
    Ends ends = make("in_turn");
    for (int i = 0; i < 97; i++) {
        put(ends.write_fd, 13);
        get(ends.read_fd, 13);
    }
}

/// A packet a slot: 0, 1, 2 … in use.  Reads ask for more than there is.
void packets()
{
    Ends ends = make("packets", O_DIRECT, 32);
    for (std::size_t i = 0; i < 31; i++) {
        put(ends.write_fd, i + 1);
    }
    std::vector<char> data(kPage);
    for (ssize_t i = 0; i < 31; i++) {
        MUST(read(ends.read_fd, data.data(), data.size()) == i + 1);
    }
}

void errors()
{
    Ends ends = make("nonblocking", O_NONBLOCK, 2);
    char byte = 0;
    for (int i = 0; i < 5; i++) {
        MUST(read(ends.read_fd, &byte, 1) == -1 && errno == EAGAIN);
    }
    put(ends.write_fd, 2 * kPage);
    for (int i = 0; i < 3; i++) {
        MUST(write(ends.write_fd, &byte, 1) == -1 && errno == EAGAIN);
    }

    Ends broken = make("broken");
    std::signal(SIGPIPE, SIG_IGN);
    broken.close_reader();
    for (int i = 0; i < 7; i++) {
        MUST(write(broken.write_fd, &byte, 1) == -1 && errno == EPIPE);
    }
    std::signal(SIGPIPE, SIG_DFL);

    Ends ended = make("ended");
    put(ended.write_fd, 3);
    ended.close_writer();
    get(ended.read_fd, 3);
    for (int i = 0; i < 5; i++) {
        MUST(read(ended.read_fd, &byte, 1) == 0);
    }
}

void vectors()
{
    Ends ends = make("vectors");
    char data[60] = {};
    const iovec parts[3] = {{data, 10}, {data + 10, 20}, {data + 30, 30}};
    for (int i = 0; i < 3; i++) {
        MUST(writev(ends.write_fd, parts, 3) == 60 && readv(ends.read_fd, parts, 3) == 60);
    }
}

/// A reader that waits a known time at least, and a writer.
void blocked()
{
    Ends empty = make("blocked_reader");
    const pid_t reader = child("waits-to-read", [&] { get(empty.read_fd, 1); return 0; });
    wait_state(reader, 'S');
    std::uint64_t since = now_ns();
    sleep_ms(150);
    fact("reader_waited", {u(reader), now_ns() - since});
    put(empty.write_fd, 1);
    MUST(reap(reader) == 0);

    Ends full = make("blocked_writer", 0, 2);
    put(full.write_fd, 2 * kPage);
    const pid_t writer = child("waits-to-write", [&] { put(full.write_fd, 100); return 0; });
    wait_state(writer, 'S');
    since = now_ns();
    sleep_ms(150);
    fact("writer_waited", {u(writer), now_ns() - since});
    get(full.read_fd, 2 * kPage);
    MUST(reap(writer) == 0);

    // A write of many times the ring, in many sleeps.
    Ends large = make("large");
    const pid_t source = child("writes-much", [&] { put(large.write_fd, 1 << 20); return 0; });
    wait_state(source, 'S');   // a reader that keeps up would let it never sleep
    std::size_t total = 0;
    std::vector<char> data(kPage);
    unsigned reads = 0;
    for (; total < 1 << 20; reads++) {
        const ssize_t part = read(large.read_fd, data.data(), data.size());
        MUST(part > 0);
        total += static_cast<std::size_t>(part);
    }
    fact("large_by", {u(source), reads});
    MUST(reap(source) == 0);
}

void interrupted()
{
    Ends ends = make("interrupted");
    const pid_t reader = child("is-interrupted", [&] {
        struct sigaction action {};
        action.sa_handler = [](int) {};   // without SA_RESTART
        sigaction(SIGUSR1, &action, nullptr);
        char byte;
        MUST(read(ends.read_fd, &byte, 1) == -1 && errno == EINTR);
        return 0;
    });
    fact("interrupted_by", {u(reader)});
    wait_state(reader, 'S');
    kill(reader, SIGUSR1);
    MUST(reap(reader) == 0);
}

/// A FIFO with several open ends; a file system of its own, so that inode and
/// device are what stat says.
void fifo(const std::string& directory)
{
    const std::string path = directory + "/a fifo";
    MUST(mkfifo(path.c_str(), 0600) == 0);
    const int both = open(path.c_str(), O_RDWR | O_CLOEXEC);
    const int reader = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const int reader2 = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    MUST(both >= 0 && reader >= 0 && reader2 >= 0 && writer >= 0);
    report_object("fifo", both);
    for (int i = 0; i < 11; i++) {
        put(writer, 29);
        get(reader, 29);
    }
    close(both);
    close(reader2);
    for (int i = 0; i < 2; i++) {
        put(writer, 29);
        get(reader, 29);
    }
    close(reader);
    close(writer);
}

struct ThreadJob {
    int fd;
    std::atomic<std::uint32_t> tid{0};
};

void* thread_writes(void* at)
{
    auto* job = static_cast<ThreadJob*>(at);
    name_thread("writing thread");
    for (int i = 0; i < 19; i++) {
        put(job->fd, 7);
    }
    job->tid = static_cast<std::uint32_t>(gettid_());
    return nullptr;
}

void threads()
{
    Ends ends = make("threads");
    ThreadJob job{ends.write_fd};
    pthread_t thread;
    MUST(pthread_create(&thread, nullptr, thread_writes, &job) == 0);
    pthread_join(thread, nullptr);
    fact("threads_by", {job.tid});
    for (int i = 0; i < 19; i++) {
        get(ends.read_fd, 7);
    }
}

/// A reader that gets no data, and a process that only holds the other end.
void unfinished()
{
    Ends ends = make("unfinished");
    const pid_t holder = child("only-holds", [&] {
        ends.close_reader();
        sleep_ms(30'000);
        return 0;
    });
    ends.close_writer();
    const pid_t reader = child("never-served", [&] { get(ends.read_fd, 1); return 0; });
    wait_state(reader, 'S');
    fact("unfinished_by", {u(reader), u(holder)});
    // The director leaves with both behind; the test kills them.
}

}  // namespace

/// pipe_fields DIRECTORY
int pipe_fields(const Arguments& arguments)
{
    name_thread("director");
    fact("director", {u(getpid())});
    in_turn();
    packets();
    errors();
    vectors();
    blocked();
    interrupted();
    fifo(arguments.at(0));
    threads();
    unfinished();
    return 0;
}

}  // namespace ipcscope::workload
