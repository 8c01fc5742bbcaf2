// SPDX-License-Identifier: GPL-2.0-only
// Kills of tasks in uninterruptible (D) and killable (K) sleep.
//
// Writers to a frozen file system sleep in D; no special module is needed.  The
// parent of vfork() sleeps in K until its child has called exec or exit.
#include <csignal>

#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

/// The file system of one directory, frozen between two calls.
class FileSystem {
public:
    explicit FileSystem(const std::string& directory)
        : fd_(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    {
        MUST(fd_ >= 0);
    }
    void freeze() const { MUST(ioctl(fd_, FIFREEZE, 0) == 0); }
    void thaw() const { MUST(ioctl(fd_, FITHAW, 0) == 0); }

private:
    int fd_;
};

int open_file(const std::string& directory, const char* name)
{
    const int fd = open((directory + '/' + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC,
                        0600);
    MUST(fd >= 0);
    return fd;
}

int write_one(int fd)
{
    return write(fd, "x", 1) == 1 ? 0 : 1;
}

/// Killed three times, thawed after a second, gone then.
void thawed_later(const FileSystem& files, const std::string& directory)
{
    const int fd = open_file(directory, "first");
    files.freeze();
    const pid_t writer = child("stuck-writer", [fd] { return write_one(fd); });
    wait_state(writer, 'D');
    const std::uint64_t before = now_ns();
    std::uint64_t after = 0;
    for (int i = 0; i < 3; i++) {
        MUST(kill(writer, SIGKILL) == 0);
        after = i == 0 ? now_ns() : after;
        sleep_ms(50);
        MUST(state_of(writer) == 'D');
    }
    sleep_ms(1000);
    const std::uint64_t thawing = now_ns();
    files.thaw();
    MUST(WTERMSIG(reap(writer)) == SIGKILL);
    fact("thawed", {u(writer), thawing - after, now_ns() - before});
    close(fd);
}

/// Until the process has slept for half a second.
void until_idle(pid_t pid)
{
    for (int asleep = 0; asleep < 25; asleep++) {
        sleep_ms(20);
        if (state_of(pid) != 'S') {
            asleep = 0;
        }
    }
}

struct Job {
    int fd;
    Shared* shared;
};

void* thread_writes(void* at)
{
    const auto* job = static_cast<const Job*>(at);
    name_thread("stuck thread");
    job->shared->tid = static_cast<std::uint32_t>(gettid_());
    write_one(job->fd);
    return nullptr;
}

/// The leader could die at once; its other thread cannot.
void stuck_thread(const FileSystem& files, const std::string& directory)
{
    Job job{open_file(directory, "second"), share()};
    files.freeze();
    const pid_t process = child("stuck-leader", [&job] {
        pthread_t thread;
        MUST(pthread_create(&thread, nullptr, thread_writes, &job) == 0);
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(job.shared->tid, 1);
    const auto tid = static_cast<pid_t>(job.shared->tid.load());
    wait_state(tid, 'D');
    wait_state(process, 'S');
    fact("stuck_thread", {u(process), u(tid)});
    MUST(kill(process, SIGKILL) == 0);
    // The collector takes this stack from /proc, once it has named the others.
    sleep_ms(1000);
    until_idle(getppid());
    files.thaw();
    MUST(WTERMSIG(reap(process)) == SIGKILL);
    close(job.fd);
}

void killable(const char* name, int signal)
{
    Shared* shared = share();
    const pid_t parent = child(name, [shared] {
        const pid_t borrower = vfork();
        if (borrower == 0) {
            shared->tid = static_cast<std::uint32_t>(gettid_());
            while (true) {
                pause();
            }
        }
        return 0;
    });
    wait_until(shared->tid, 1);
    wait_state(parent, 'D');   // /proc shows K as D
    fact(name, {u(parent)});
    MUST(kill(parent, signal) == 0);
    MUST(WTERMSIG(reap(parent)) == signal);
    kill(static_cast<pid_t>(shared->tid.load()), SIGKILL);
}

/// Left behind, frozen: the trace ends first.
void never_thawed(const FileSystem& files, const std::string& directory)
{
    const int fd = open_file(directory, "third");
    files.freeze();
    const pid_t writer = child("stuck-forever", [fd] { return write_one(fd); });
    wait_state(writer, 'D');
    fact("frozen", {u(writer)});
    for (int i = 0; i < 2; i++) {
        MUST(kill(writer, SIGKILL) == 0);
    }
}

}  // namespace

/// frozen_writers DIRECTORY: the root of a file system that can be frozen; it is
/// left frozen.
int frozen_writers(const Arguments& arguments)
{
    name_thread("director");
    fact("director", {u(getpid())});
    const FileSystem files(arguments.at(0));
    thawed_later(files, arguments.at(0));
    stuck_thread(files, arguments.at(0));
    // The later one in the ring that is read first: names must not come late.
    pin_to_cpu(1);
    killable("vfork-kill", SIGKILL);
    pin_to_cpu(0);
    killable("vfork-term", SIGTERM);
    never_thawed(files, arguments.at(0));
    return 0;
}

}  // namespace ipcscope::workload
