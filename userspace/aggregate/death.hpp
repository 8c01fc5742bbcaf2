// SPDX-License-Identifier: GPL-2.0-only
// What happened to a process that got a signal which should end it, as values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "correlate/interval.hpp"

namespace ipcscope::aggregate {

using decode::Task;

/// A stay of one thread in a state that keeps it from taking signals, or dying.
struct Stay {
    std::uint32_t tid = 0;
    decode::State state{};
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
};

/// A stop signal to a process, and the SIGCONT that came next.
struct Stop {
    unsigned signal = 0;
    Task sender;
    decode::Origin origin{};
    std::uint32_t terminal = 0;       ///< origin terminal: dev_t; 0: not known
    std::uint64_t at_ns = 0;
    std::uint64_t continued_ns = 0;   ///< 0: not seen
    Task continuer;
    decode::Origin continued_by{};
};

/// Time in which a process could not take a signal, of the thread that had most of it.
struct Hindrance {
    std::uint64_t stopped_ns = 0;
    std::uint64_t traced_ns = 0;
    std::uint64_t frozen_ns = 0;
    std::uint64_t uninterruptible_ns = 0;   ///< D
    std::uint64_t killable_ns = 0;          ///< K
    std::uint64_t runnable_ns = 0;          ///< waiting for a CPU
    std::uint32_t sleeper_tid = 0;          ///< the longest stay in D or K was its
    std::uint64_t sleep_start_ns = 0;       ///< that stay's
    std::uint64_t sleep_end_ns = 0;
    std::optional<Stop> stop;               ///< that stopped it, for the longest time
    std::uint64_t stops = 0;                ///< how often it was
};

/// Why a thread blocked a signal as it was sent to it, by the records of --trace handlers.
struct Blocking {
    enum class By : std::uint8_t {
        start,     ///< the trace found it so
        birth,     ///< it has the mask of who made it
        exec,      ///< its program began so
        call,      ///< a system call of its own
        handler,   ///< a handler that it was in
    };
    By by{};
    std::uint64_t since_ns = 0;
    std::uint16_t syscall = IPCSCOPE_SYSCALL_NONE;   ///< call: which
    unsigned handler = 0;                   ///< handler: of which signal
    std::uint64_t until_ns = 0;             ///< handler: it returned; 0: it had not
    std::uint64_t inside_ns = 0;            ///< handler: in this run and later ones, since the send
};

/// The wait of one signal from its generation to its taking, or until now.
struct SignalWait {
    std::uint64_t generated_ns = 0;
    std::uint64_t ended_ns = 0;
    bool blocked = false;                   ///< as it was sent
    bool traced = false;                    ///< a debugger had it in its hands
    Hindrance hindrance;
    std::optional<Blocking> blocking = std::nullopt;   ///< where it was blocked, and why is known
    Task thread{};   ///< the only one that could take it; tid = 0: any, or the first one
};

/// What a signal waited for: half of its wait or more is that state of the receiver; else it
/// was blocked as it was sent, by a handler that ran for half of it or more, or by the mask.
enum class HeldBy : std::uint8_t {
    stopped, frozen, traced, uninterruptible, killable, runnable, handler, mask,
    unknown,
};
inline constexpr std::size_t kHeldBy = static_cast<std::size_t>(HeldBy::unknown) + 1;

/// Of a signal that was taken.
HeldBy held_by(const SignalWait& wait);

/// Of the wait, which ended or was looked at at `end_ns`, the part in which a handler ran that
/// blocked the signal.
std::uint64_t in_handler_ns(const SignalWait& wait, std::uint64_t end_ns);

/// All sends of one signal by one process to it.
struct DeathSend {
    Task sender;                            ///< its name at the first
    std::uint32_t sender_tid = 0;           ///< its thread, at the first
    Comm sender_now;                        ///< its newest name, where that is another
    bool named = false;                     ///< that is its process's name
    decode::Origin origin{};
    std::uint32_t terminal = 0;             ///< origin terminal: dev_t, at the first; 0: not known
    unsigned signal = 0;
    std::uint64_t count = 0;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    std::array<std::uint64_t, IPCSCOPE_RESULT_COUNT> outcomes{};   ///< by Outcome
    decode::State target_state{};           ///< the rest: at the first
    bool blocked = false;
    bool blocked_at_exec = false;           ///< it had it blocked at its exec already
    bool mask_inherited = false;            ///< and before, when it was born
    std::optional<Blocking> blocking;       ///< with --trace handlers
    bool unkillable = false;
    bool fatal = false;
    bool dying = false;
    std::uint64_t memory_limit = 0;         ///< OOM: bytes, of the memory cgroup; 0: of none
    SafeText memory_cgroup;                 ///< the last part of its path
    std::vector<SafeText> callers;          ///< of the kernel's send core, innermost first
    Hindrance hindrance;                    ///< from the first to the target's end

    std::uint64_t at(decode::Outcome outcome) const
    {
        return outcomes[static_cast<std::size_t>(outcome)];
    }
};

/// One taking of a signal that should end it.
struct DeathTaking {
    unsigned signal = 0;
    decode::How how{};
    std::uint32_t tid = 0;
    std::uint64_t at_ns = 0;
    std::uint64_t returned_ns = 0;          ///< from its handler; 0: not seen
};

/// In a handler, by sigwait() or by a signalfd.
constexpr bool takes_itself(decode::How how)
{
    return how == decode::How::handler || how == decode::How::sigwait ||
           how == decode::How::signalfd;
}

/// One thread in one look of the collector's.
struct ThreadLook {
    std::uint64_t at_ns = 0;
    Task thread;
    decode::State state{};
    std::uint16_t missing = 0;
    std::uint64_t blocked = 0;
    std::uint64_t pending = 0;
    std::uint64_t caught = 0;
    Task tracer;
    Task vfork_child;
    std::int32_t exit_code = 0;
    std::uint32_t threads = 0;              ///< of the process
    SafeText wait_channel;
    std::vector<SafeText> stack;
};

/// A fatal signal that found a thread in D or K.
struct KillFound {
    std::uint64_t at_ns = 0;
    Task thread;
    decode::State state{};
    std::uint32_t threads = 0;
    std::vector<SafeText> stack;
};

/// A child that ended while its parent should have.
struct EndedChild {
    Task task;
    std::uint64_t born_ns = 0;              ///< 0: before the trace, or not seen
    std::uint64_t exited_ns = 0;
};

struct Death {
    Task target;                            ///< tid = 0; its name at the first send
    bool traced = false;                    ///< the trace has all that it did
    std::vector<DeathSend> sends;           ///< by first_ns
    std::uint64_t other_sends = 0;          ///< of further senders
    std::vector<DeathTaking> takings;       ///< by time
    std::vector<ThreadLook> looks;          ///< by time
    std::optional<KillFound> found;         ///< the first
    std::optional<std::uint64_t> gone_ns;   ///< its parent was notified, or the last thread gone
    std::optional<std::int32_t> exit_code;  ///< as wait(2) encodes it
    std::optional<std::uint64_t> reaped_ns;  ///< the kernel freed it: up to a second later
    std::uint64_t unreaped_ns = 0;          ///< until then it was certainly not reaped
    bool orphaned = false;                  ///< its parent ended without having reaped it
    Task parent;                            ///< as far as known
    std::uint64_t alive_ns = 0;             ///< when it was last known to be there
    std::vector<Task> children;             ///< alive at its end, or now; a few
    std::uint64_t more_children = 0;
    std::optional<EndedChild> last_child;   ///< the last that ended before it

    std::uint64_t first_ns() const { return sends.empty() ? 0 : sends.front().first_ns; }
    /// The first taking of the signal since then; nullptr: none was seen.
    const DeathTaking* taking_of(const DeathSend& send) const;
};

/// Children that a process left unreaped though it had taken a SIGCHLD after their end.
struct Unreaped {
    struct Child {
        Task task;
        std::uint64_t exited_ns = 0;
        std::uint64_t left_ns = 0;          ///< from that SIGCHLD until it was reaped, or now
    };
    Task parent;
    std::vector<Child> children;            ///< at most kMost
    static constexpr std::size_t kMost = 256;
};

}  // namespace ipcscope::aggregate
