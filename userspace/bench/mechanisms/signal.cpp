// SPDX-License-Identifier: GPL-2.0-only
// Signals: every way to send one, and every way to take it.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/fd.hpp"
#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace ipcscope::bench {
namespace {

int plain_signal() { return SIGUSR1; }
int queued_signal() { return SIGRTMIN + 3; }

sigset_t only(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

/// Blocks it, so that it stays pending until it is received.
Result<void> block(int signal)
{
    const sigset_t set = only(signal);
    if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr)) {
        return fail(Exit::kernel, fmt::format("sigmask: {}", std::strerror(error)));
    }
    return {};
}

// Ways to send.  Each: prepare(peer), send(message), what the receiver will see.

struct Kill {
    static int signal() { return plain_signal(); }
    static bool fits(int code) { return code == SI_USER; }
    Result<void> prepare(const Peer& peer)
    {
        pid_ = peer.pid;
        return {};
    }
    int send(std::span<const std::byte>) { return kill(pid_, signal()) == 0 ? 0 : errno; }

private:
    pid_t pid_ = 0;
};

struct ThreadKill {
    static int signal() { return plain_signal(); }
    /// glibc's sigwaitinfo() reports SI_USER for it.
    static bool fits(int code) { return code == SI_TKILL || code == SI_USER; }
    Result<void> prepare(const Peer& peer)
    {
        peer_ = peer;
        return {};
    }
    int send(std::span<const std::byte>)
    {
        return syscall(SYS_tgkill, peer_.pid, peer_.tid, signal()) == 0 ? 0 : errno;
    }

private:
    Peer peer_;
};

struct PidfdSend {
    static int signal() { return plain_signal(); }
    static bool fits(int code) { return code == SI_USER; }
    Result<void> prepare(const Peer& peer)
    {
        pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, peer.pid, 0)));
        if (!pidfd_) {
            return fail(Exit::kernel, fmt::format("pidfd_open: {} (since Linux 5.3)",
                                                  std::strerror(errno)));
        }
        return {};
    }
    int send(std::span<const std::byte>)
    {
        return syscall(SYS_pidfd_send_signal, pidfd_.get(), signal(), nullptr, 0) == 0 ? 0
                                                                                       : errno;
    }

private:
    Fd pidfd_;
};

/// The message is the signal's value.
struct Queue {
    static int signal() { return queued_signal(); }
    static bool fits(int code) { return code == SI_QUEUE; }
    Result<void> prepare(const Peer& peer)
    {
        pid_ = peer.pid;
        return {};
    }
    int send(std::span<const std::byte> message)
    {
        sigval value{};
        std::memcpy(&value, message.data(), message.size());
        return sigqueue(pid_, signal(), value) == 0 ? 0 : errno;
    }

private:
    pid_t pid_ = 0;
};

/// What was taken, the same for all ways to take it.
struct Taken {
    int signal = 0;
    int code = 0;
    pid_t sender = 0;
    std::uint64_t value = 0;
};

// Ways to take.  Each: prepare(signal), take(taken) → 0 or an errno.

class Wait {
public:
    Result<void> prepare(int signal, WaitMode waiting)
    {
        set_ = only(signal);
        spin_ = waiting == WaitMode::spin;
        return block(signal);
    }
    int take(Taken& taken)
    {
        siginfo_t info{};
        const timespec now{};
        while ((spin_ ? sigtimedwait(&set_, &info, &now) : sigwaitinfo(&set_, &info)) < 0) {
            if (!again(errno)) return errno;
        }
        taken = {info.si_signo, info.si_code, info.si_pid,
                 reinterpret_cast<std::uint64_t>(info.si_value.sival_ptr)};
        return 0;
    }

private:
    sigset_t set_{};
    bool spin_ = false;
};

class SignalFd {
public:
    Result<void> prepare(int signal, WaitMode waiting)
    {
        const sigset_t set = only(signal);
        if (auto blocked = block(signal); !blocked) {
            return blocked;
        }
        fd_.reset(
            signalfd(-1, &set, SFD_CLOEXEC | (waiting == WaitMode::spin ? SFD_NONBLOCK : 0)));
        if (!fd_) {
            return fail(Exit::kernel, fmt::format("signalfd: {}; raise ulimit -n",
                                                  std::strerror(errno)));
        }
        return {};
    }
    int take(Taken& taken)
    {
        signalfd_siginfo info{};
        if (const int error = read_all(fd_.get(), std::as_writable_bytes(std::span(&info, 1)))) {
            return error;
        }
        taken = {static_cast<int>(info.ssi_signo), info.ssi_code,
                 static_cast<pid_t>(info.ssi_pid), info.ssi_ptr};
        return 0;
    }

private:
    Fd fd_;
};

/// Written by the handler, which cannot get a pointer: a worker is a process with one
/// such port.
volatile std::sig_atomic_t caught_count = 0;
volatile std::sig_atomic_t caught_code = 0;
volatile std::sig_atomic_t caught_sender = 0;
volatile std::sig_atomic_t caught_signal = 0;

void on_signal(int signal, siginfo_t* info, void*)
{
    caught_signal = signal;
    caught_code = info->si_code;
    caught_sender = info->si_pid;
    caught_count = caught_count + 1;
}

class Handler {
public:
    Result<void> prepare(int signal, WaitMode waiting)
    {
        struct sigaction action{};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigemptyset(&action.sa_mask);
        if (sigaction(signal, &action, nullptr) != 0) {
            return fail(Exit::kernel, fmt::format("sigaction: {}", std::strerror(errno)));
        }
        spin_ = waiting == WaitMode::spin;
        taken_ = caught_count;
        // Spinning, it may come at any time; else only while it is waited for.
        const sigset_t set = only(signal);
        pthread_sigmask(spin_ ? SIG_UNBLOCK : SIG_BLOCK, &set, &outside_);
        sigdelset(&outside_, signal);
        return {};
    }
    int take(Taken& taken)
    {
        while (caught_count == taken_) {
            if (spin_) {
                cpu_relax();
            } else {
                sigsuspend(&outside_);
            }
        }
        // A surplus signal has the next number, which was not sent yet.
        taken_ = taken_ + 1;
        if (caught_count != taken_) return EBADMSG;
        taken = {caught_signal, caught_code, caught_sender, 0};
        return 0;
    }

private:
    sigset_t outside_{};
    std::sig_atomic_t taken_ = 0;
    bool spin_ = false;
};

template <typename Send, typename Take>
class SignalPort final : public LoopedPort<SignalPort<Send, Take>> {
public:
    Result<void> prepare(const Peer& peer, WaitMode waiting)
    {
        peer_ = peer.pid;
        if (auto done = take_.prepare(Send::signal(), waiting); !done) {
            return done;
        }
        return send_.prepare(peer);
    }

    int send(std::span<const std::byte> message) override { return send_.send(message); }

    int receive(std::span<std::byte> message) override
    {
        Taken taken;
        if (const int error = take_.take(taken)) return error;
        std::memcpy(message.data(), &taken.value, message.size());
        const bool right = taken.signal == Send::signal() && Send::fits(taken.code) &&
                           taken.sender == peer_;
        return right ? 0 : EBADMSG;
    }

private:
    Send send_;
    Take take_;
    pid_t peer_ = 0;
};

template <typename Send, typename Take>
class SignalChannel final : public Channel {
public:
    explicit SignalChannel(WaitMode waiting) : waiting_(waiting) {}

    static Result<std::unique_ptr<Channel>> create(const Setup& setup)
    {
        return std::make_unique<SignalChannel>(setup.waiting);
    }

    Result<std::unique_ptr<Port>> port(End, const Peer& peer) override
    {
        auto port = std::make_unique<SignalPort<Send, Take>>();
        if (auto ready = port->prepare(peer, waiting_); !ready) {
            return tl::unexpected(ready.error());
        }
        return port;
    }

private:
    WaitMode waiting_;
};

/// Only a signal to one thread finds it among several.
template <typename Send, typename Take>
constexpr Mechanism signal(std::string_view name, std::string_view title,
                           std::size_t bytes = 0)
{
    constexpr bool threads = std::is_same_v<Send, ThreadKill>;
    return {.name = name, .title = title, .family = Family::signal, .min_message = bytes,
            .max_message = bytes, .threads = threads, .spins = true,
            .traced_by = IPCSCOPE_FAMILY_SIGNALS, .create = SignalChannel<Send, Take>::create};
}

constexpr Mechanism kMechanisms[] = {
    signal<Kill, Handler>("signal-handler", "kill, handler"),
    signal<Kill, Wait>("signal-sigwait", "kill, sigwaitinfo"),
    signal<Kill, SignalFd>("signal-signalfd", "kill, signalfd"),
    signal<Queue, Wait>("signal-queue", "sigqueue (real-time, 8 bytes), sigwaitinfo", 8),
    signal<PidfdSend, Wait>("signal-pidfd", "pidfd_send_signal, sigwaitinfo"),
    signal<ThreadKill, Wait>("signal-tgkill", "tgkill, sigwaitinfo"),
};

}  // namespace

std::span<const Mechanism> signal_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
