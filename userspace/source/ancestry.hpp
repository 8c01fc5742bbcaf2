// SPDX-License-Identifier: GPL-2.0-only
// Who sent or got a signal that ends or stops a process, and who started it, and so on
// up to init.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include <ipcscope/record.h>

#include "source/notes.hpp"
#include "source/proc.hpp"

namespace ipcscope::source {

/// Reads /proc for such signals only: of one process once in a second at most, or as soon
/// as its records say that it has become another one; and of kMostInASecond in all.
class Ancestry {
public:
    explicit Ancestry(proc::Cgroups& cgroups) : cgroups_(cgroups) {}

    /// Appends PROCESS records of the sender, the target and their ancestors, as far as
    /// these are there still.
    void saw(const ipcscope_signal_generate& sent, Notes& notes);

    void saw(const ipcscope_thread& thread);
    /// Of a sender, which may have ended before its /proc is read.
    void saw(const ipcscope_command& command);
    void freed(std::uint32_t tgid);

private:
    struct Recorded {
        ipcscope_thread leader{};
        std::string command;      ///< empty: it has sent nothing, or it was not readable
    };
    /// How old a process has to be, that its number is not another's.
    struct Age {
        std::uint64_t time_ns;       ///< of the signal
        std::uint64_t start_ticks;   ///< of its child; UINT64_MAX: it is no parent
    };

    void note(std::uint32_t tgid, std::uint64_t time_ns, Notes& notes);
    /// @return its parent's number, 0 where it is not known
    std::uint32_t note_one(std::uint32_t tgid, Age& age, bool with_command, Notes& notes);

    /// Of one that is gone.
    std::uint32_t note_recorded(std::uint32_t tgid, std::uint64_t time_ns, bool with_command,
                                Notes& notes) const;

    bool has_time(std::uint64_t time_ns);

    static constexpr std::size_t kMost = 65536;
    static constexpr unsigned kMostInASecond = 1000;

    proc::Cgroups& cgroups_;
    std::unordered_map<std::uint32_t, Recorded> recorded_;      ///< by tgid
    std::unordered_map<std::uint32_t, std::uint64_t> noted_;    ///< when, by tgid
    std::uint64_t second_ns_ = 0;    ///< when it began
    unsigned reads_ = 0;             ///< in it
};

}  // namespace ipcscope::source
