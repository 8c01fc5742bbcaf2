// SPDX-License-Identifier: GPL-2.0-only
// What the threads of one process do at this moment, by /proc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ipcscope/record.h>

#include "source/proc.hpp"
#include "source/thread_stacks.hpp"

namespace ipcscope::source {

/// A thread; its record lacks its time, what it is watched for, and its stack.
struct ObservedThread {
    ipcscope_observed record{};
    std::string wait_channel;
    std::string stack;          ///< text of /proc/PID/task/TID/stack
};

struct ObservedProcess {
    bool exists = false;
    std::uint64_t start_ticks = 0;          ///< field 22 of its stat; 0: not known
    std::vector<ObservedThread> threads;    ///< at most kMostThreads, the leader first
};

/// Reads a /proc tree, of which any part may vanish, or be refused, at any moment: what
/// could not be read is named in record.missing.
class Observer {
public:
    static constexpr std::size_t kMostThreads = 64;

    /// `root`: where the tree is, such as "/proc".
    Observer(ThreadStacks& stacks, proc::Cgroups& cgroups, std::string root = "/proc");

    ObservedProcess look(std::uint32_t tgid) const;

private:
    void look_at_thread(const Fd& tasks, ObservedThread& thread) const;
    bool is_hidden(std::uint32_t tgid) const;

    ThreadStacks& stacks_;
    proc::Cgroups& cgroups_;
    std::string root_;
};

namespace proc {

/// What a /proc/PID/task/TID/stat says.
struct Stat {
    char state = 0;                 ///< 'S', …
    std::int32_t exit_code = 0;     ///< of a zombie
    std::uint64_t start_ticks = 0;
};
std::optional<Stat> parse_stat(std::string_view text);

/// The contract's state of a letter of /proc.
std::uint8_t state_of_letter(char letter);

/// Fills what a status file says; false where the signal masks are not in it.
bool parse_signal_masks(std::string_view text, ipcscope_observed& record);

/// What a /proc/TID/syscall says.
struct Syscall {
    std::uint16_t number = IPCSCOPE_SYSCALL_NONE;
    std::uint64_t argument = 0;     ///< the first one
    std::uint64_t bytes = 0;        ///< the third one: of read and write
};
/// nullopt: the text is none; one that runs is in no system call.
std::optional<Syscall> parse_syscall(std::string_view text);

}  // namespace proc
}  // namespace ipcscope::source
