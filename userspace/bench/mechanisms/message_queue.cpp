// SPDX-License-Identifier: GPL-2.0-only
// POSIX message queues, with and without priorities, and System V ones: one
// queue for each direction.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/name_registry.hpp"

namespace ipcscope::bench {
namespace {

/// The kernel's defaults: fs.mqueue.msgsize_max, kernel.msgmax.
constexpr std::size_t kUsual = 8192;
/// HARD_MSGSIZEMAX; System V has no such limit.
constexpr std::size_t kLargest = 16 << 20;

std::size_t limit(const char* path)
{
    std::ifstream file(path);
    std::size_t value = 0;
    file >> value;
    return value;
}

/// What EMFILE means: of descriptors, or of bytes in all queues of a user.
std::string too_many(const mq_attr& attr)
{
    if (const int spare = dup(STDERR_FILENO); spare >= 0) {
        close(spare);
    } else if (errno == EMFILE) {
        return fmt::format("{}; raise ulimit -n", std::strerror(EMFILE));
    }
    // The kernel adds a msg_msg and a posix_msg_tree_node for each message.
    constexpr unsigned long kOverhead = 48 + 48;
    const unsigned long two = 2 * static_cast<unsigned long>(attr.mq_maxmsg) *
                              (static_cast<unsigned long>(attr.mq_msgsize) + kOverhead);
    rlimit allowed{};
    getrlimit(RLIMIT_MSGQUEUE, &allowed);
    // If the limit is sufficient, other queues of the user occupy part of it.
    return fmt::format("two queues take {} bytes, more than ulimit -q allows: ulimit -q {}",
                       two, two > allowed.rlim_cur ? two : allowed.rlim_cur + two);
}

class PosixQueue {
public:
    PosixQueue(mqd_t queue, NameRegistry::Entry name) : queue_(queue), name_(std::move(name)) {}
    PosixQueue(PosixQueue&& from) noexcept
        : queue_(std::exchange(from.queue_, -1)), name_(std::move(from.name_))
    {
    }
    ~PosixQueue()
    {
        if (queue_ >= 0) mq_close(queue_);
    }

    int get() const { return queue_; }
    bool empty() const
    {
        mq_attr now{};
        return mq_getattr(queue_, &now) == 0 && now.mq_curmsgs == 0;
    }

    static Result<PosixQueue> make(const Setup& setup);

private:
    mqd_t queue_;
    NameRegistry::Entry name_;
};

Result<PosixQueue> PosixQueue::make(const Setup& setup)
{
    // The depth that an unprivileged user may request, less for large messages.
    mq_attr attr{};
    attr.mq_msgsize = static_cast<long>(setup.message_bytes);
    attr.mq_maxmsg = std::clamp<long>(256 * 1024 / attr.mq_msgsize, 1, 10);
    auto name = setup.names.reserve(NameRegistry::Kind::posix_mq);
    if (!name) {
        return tl::unexpected(name.error());
    }
    const int waiting = setup.waiting == WaitMode::spin ? O_NONBLOCK : 0;
    const mqd_t queue = mq_open(name->name().c_str(), O_RDWR | O_CREAT | O_EXCL | waiting,
                                0600, &attr);
    if (queue >= 0) {
        return PosixQueue(queue, std::move(*name));
    }
    const int error = errno;
    const std::size_t most = limit("/proc/sys/fs/mqueue/msgsize_max");
    if (error == EINVAL && setup.message_bytes > most) {
        return fail(Exit::kernel,
                    fmt::format("messages of {0} bytes, but fs.mqueue.msgsize_max is {1}: "
                                "sysctl fs.mqueue.msgsize_max={0}", setup.message_bytes, most));
    }
    if (error == EMFILE) {
        return fail(Exit::kernel, too_many(attr));
    }
    if (error == ENOSPC) {
        return fail(Exit::kernel, fmt::format("no more queues: sysctl "
                                              "fs.mqueue.queues_max={}",
                                              limit("/proc/sys/fs/mqueue/queues_max") + 16));
    }
    return fail(Exit::kernel, fmt::format("mq_open: {}", std::strerror(error)));
}

/// Messages of one priority stay in order.
class PosixPort final : public LoopedPort<PosixPort> {
public:
    PosixPort(mqd_t in, mqd_t out, unsigned priorities)
        : in_(in), out_(out), priorities_(priorities)
    {
    }

    int send(std::span<const std::byte> message) override
    {
        const unsigned priority = sent_++ % priorities_;
        while (mq_send(out_, reinterpret_cast<const char*>(message.data()), message.size(),
                       priority) != 0) {
            if (!again(errno)) return errno;
        }
        return 0;
    }

    int receive(std::span<std::byte> message) override
    {
        unsigned priority = 0;
        ssize_t size = 0;
        while ((size = mq_receive(in_, reinterpret_cast<char*>(message.data()),
                                  message.size(), &priority)) < 0) {
            if (!again(errno)) return errno;
        }
        const bool right = size == static_cast<ssize_t>(message.size()) &&
                           priority == received_++ % priorities_;
        return right ? 0 : EBADMSG;
    }

private:
    mqd_t in_;
    mqd_t out_;
    unsigned priorities_;
    unsigned sent_ = 0;
    unsigned received_ = 0;
};

/// Message n has priority n % kPriorities, and has to come with it.
class PosixChannel final : public Channel {
public:
    PosixChannel(PosixQueue there, PosixQueue back, unsigned priorities)
        : there_(std::move(there)), back_(std::move(back)), priorities_(priorities)
    {
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        const bool a = end == End::a;
        return std::make_unique<PosixPort>(a ? back_.get() : there_.get(),
                                           a ? there_.get() : back_.get(), priorities_);
    }

    int drained() override { return there_.empty() && back_.empty() ? 0 : EBADMSG; }

private:
    PosixQueue there_;
    PosixQueue back_;
    unsigned priorities_;
};

template <unsigned kPriorities>
Result<std::unique_ptr<Channel>> create_posix(const Setup& setup)
{
    auto there = PosixQueue::make(setup);
    if (!there) {
        return tl::unexpected(there.error());
    }
    auto back = PosixQueue::make(setup);
    if (!back) {
        return tl::unexpected(back.error());
    }
    return std::make_unique<PosixChannel>(std::move(*there), std::move(*back), kPriorities);
}

class SysvQueue {
public:
    static Result<SysvQueue> make(const Setup& setup);

    int get() const { return queue_; }
    bool empty() const
    {
        msqid_ds now{};
        return msgctl(queue_, IPC_STAT, &now) == 0 && now.msg_qnum == 0;
    }

private:
    SysvQueue(int queue, NameRegistry::Entry name) : queue_(queue), name_(std::move(name)) {}
    int queue_;
    NameRegistry::Entry name_;
};

Result<SysvQueue> SysvQueue::make(const Setup& setup)
{
    const std::size_t most = limit("/proc/sys/kernel/msgmax");
    if (setup.message_bytes > most) {
        return fail(Exit::kernel, fmt::format("messages of {0} bytes, but kernel.msgmax is "
                                              "{1}: sysctl kernel.msgmax={0}",
                                              setup.message_bytes, most));
    }
    const std::size_t room = limit("/proc/sys/kernel/msgmnb");
    if (setup.message_bytes > room) {
        return fail(Exit::kernel, fmt::format("messages of {} bytes, but kernel.msgmnb is "
                                              "{}: sysctl kernel.msgmnb={}",
                                              setup.message_bytes, room,
                                              2 * setup.message_bytes));
    }
    auto name = setup.names.reserve(NameRegistry::Kind::sysv_msg);
    if (!name) {
        return tl::unexpected(name.error());
    }
    const int queue = msgget(name->key(), IPC_CREAT | IPC_EXCL | 0600);
    if (queue < 0) {
        const std::string fix = errno == ENOSPC
            ? fmt::format(": sysctl kernel.msgmni={}", limit("/proc/sys/kernel/msgmni") + 16)
            : "";
        return fail(Exit::kernel, fmt::format("msgget: {}{}", std::strerror(errno), fix));
    }
    return SysvQueue(queue, std::move(*name));
}

/// The system calls take the type in front of the bytes: one copy each way.
class SysvPort final : public LoopedPort<SysvPort> {
public:
    SysvPort(int in, int out, WaitMode waiting, std::size_t bytes)
        : in_(in), out_(out), flags_(waiting == WaitMode::spin ? IPC_NOWAIT : 0),
          buffer_(sizeof(long) + bytes)
    {
    }

    int send(std::span<const std::byte> message) override
    {
        const long type = kType;
        std::memcpy(buffer_.data(), &type, sizeof(type));
        std::memcpy(buffer_.data() + sizeof(type), message.data(), message.size());
        while (msgsnd(out_, buffer_.data(), message.size(), flags_) != 0) {
            if (!again(errno)) return errno;
        }
        return 0;
    }

    int receive(std::span<std::byte> message) override
    {
        ssize_t size = 0;
        while ((size = msgrcv(in_, buffer_.data(), message.size(), kType, flags_)) < 0) {
            if (errno == ENOMSG) {
                cpu_relax();
            } else if (!again(errno)) {
                return errno == E2BIG ? EBADMSG : errno;
            }
        }
        std::memcpy(message.data(), buffer_.data() + sizeof(long), message.size());
        return size == static_cast<ssize_t>(message.size()) ? 0 : EBADMSG;
    }

private:
    static constexpr long kType = 1;
    int in_;
    int out_;
    int flags_;
    Buffer buffer_;
};

class SysvChannel final : public Channel {
public:
    SysvChannel(SysvQueue there, SysvQueue back, const Setup& setup)
        : there_(std::move(there)), back_(std::move(back)), waiting_(setup.waiting),
          bytes_(setup.message_bytes)
    {
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        const bool a = end == End::a;
        return std::make_unique<SysvPort>(a ? back_.get() : there_.get(),
                                          a ? there_.get() : back_.get(), waiting_, bytes_);
    }

    int drained() override { return there_.empty() && back_.empty() ? 0 : EBADMSG; }

private:
    SysvQueue there_;
    SysvQueue back_;
    WaitMode waiting_;
    std::size_t bytes_;
};

Result<std::unique_ptr<Channel>> create_sysv(const Setup& setup)
{
    auto there = SysvQueue::make(setup);
    if (!there) {
        return tl::unexpected(there.error());
    }
    auto back = SysvQueue::make(setup);
    if (!back) {
        return tl::unexpected(back.error());
    }
    return std::make_unique<SysvChannel>(std::move(*there), std::move(*back), setup);
}

constexpr Mechanism kMechanisms[] = {
    {.name = "posix-mq", .title = "POSIX message queue", .family = Family::message_queue,
     .min_message = 1, .max_message = kLargest, .default_max = kUsual, .spins = true,
     .throughput = true, .mpmc = true, .traced_by = IPCSCOPE_FAMILY_MQUEUE,
     .create = create_posix<1>},
    {.name = "posix-mq-priority", .title = "POSIX message queue, 31 priorities in turn",
     .family = Family::message_queue, .min_message = 1, .max_message = kLargest,
     .default_max = kUsual, .spins = true, .traced_by = IPCSCOPE_FAMILY_MQUEUE,
     .create = create_posix<31>},
    {.name = "sysv-msg", .title = "System V message queue", .family = Family::message_queue,
     .min_message = 1, .max_message = kLargest, .default_max = kUsual, .spins = true,
     .throughput = true, .mpmc = true, .traced_by = IPCSCOPE_FAMILY_SYSV,
     .create = create_sysv},
};

}  // namespace

std::span<const Mechanism> message_queue_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
