// SPDX-License-Identifier: GPL-2.0-only
// POSIX message queues whose every call is known.
#include <array>
#include <cerrno>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr unsigned kMany = 101, kFew = 11, kWaited = 13;
constexpr std::size_t kLargest = 32;
using Message = std::array<char, kLargest>;

/// fact: NAME inode device, the latter as the kernel writes it.
mqd_t make(const char* name, int flags = 0)
{
    const std::string path = std::string("/") + name;
    mq_attr attributes{};
    attributes.mq_maxmsg = 3;
    attributes.mq_msgsize = kLargest;
    mq_unlink(path.c_str());
    const mqd_t queue = mq_open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600,
                                &attributes);
    MUST(queue >= 0);
    struct stat info {};
    MUST(fstat(queue, &info) == 0);
    fact(name, {info.st_ino, (static_cast<std::uint64_t>(major(info.st_dev)) << 20) |
                                 minor(info.st_dev)});
    return queue;
}

void put(mqd_t queue, std::size_t bytes, unsigned priority)
{
    const Message message{};
    MUST(mq_send(queue, message.data(), bytes, priority) == 0);
}

void get(mqd_t queue, std::size_t bytes)
{
    Message message{};
    MUST(mq_receive(queue, message.data(), message.size(), nullptr) ==
         static_cast<ssize_t>(bytes));
}

void in_turn()
{
    const mqd_t queue = make("in_turn");
    for (unsigned i = 0; i < kMany; ++i) {
        put(queue, 13, 5);
        get(queue, 13);
    }
}

/// Three are queued, one more is refused.
void refused()
{
    const mqd_t queue = make("refused", O_NONBLOCK);
    Message message{};
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(mq_receive(queue, message.data(), message.size(), nullptr) < 0 && errno == EAGAIN);
    }
    for (unsigned i = 0; i < 3; ++i) {
        put(queue, 7, i);
    }
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(mq_send(queue, message.data(), 7, 0) < 0 && errno == EAGAIN);
    }
    MUST(mq_send(queue, message.data(), kLargest + 1, 0) < 0 && errno == EMSGSIZE);
    const int file = open("/dev/null", O_RDWR | O_CLOEXEC);   // no queue: no record
    MUST(mq_send(file, message.data(), 1, 0) < 0 && errno == EBADF);
    close(file);
}

/// A child sleeps in each receive, another in a send.
void blocked()
{
    const mqd_t queue = make("empty");
    const pid_t receiver = child("receives", [&] {
        for (unsigned i = 0; i < kWaited; ++i) {
            get(queue, 13);
        }
        return 0;
    });
    fact("receiver", {static_cast<std::uint64_t>(receiver)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(receiver, 'S');
        sleep_ms(10);
        put(queue, 13, 0);
    }
    MUST(reap(receiver) == 0);
    const mqd_t full = make("full");
    for (unsigned i = 0; i < 3; ++i) {
        put(full, 13, 0);
    }
    const pid_t sender = child("sends", [&] {
        for (unsigned i = 0; i < kWaited; ++i) {
            put(full, 13, 0);
        }
        return 0;
    });
    fact("sender", {static_cast<std::uint64_t>(sender)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(sender, 'S');
        sleep_ms(10);
        get(full, 13);
    }
    MUST(reap(sender) == 0);
    timespec past{};
    MUST(mq_timedsend(full, "", 0, 0, &past) < 0 && errno == ETIMEDOUT);
}

}  // namespace

int mqueue_fields(const Arguments&)
{
    name_thread("director");
    fact("director", {static_cast<std::uint64_t>(getpid())});
    in_turn();
    refused();
    blocked();
    return 0;
}

}  // namespace ipcscope::workload
