// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/masks.hpp"

#include <array>
#include <string_view>

#include <asm/unistd.h>
#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_story.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Blocking;

/// Calls that set a mask while they wait, and put the old one back.
struct Wait {
    unsigned syscall;
    std::string_view name;
};
constexpr std::array kWaits{
    Wait{__NR_ppoll, "ppoll()"},
    Wait{__NR_pselect6, "pselect()"},
    Wait{__NR_epoll_pwait, "epoll_pwait()"},
    Wait{__NR_epoll_pwait2, "epoll_pwait2()"},
    Wait{__NR_rt_sigsuspend, "sigsuspend()"},
    Wait{__NR_io_pgetevents, "io_pgetevents()"},
};

std::string by_call(const Blocking& blocking, const std::string& when)
{
    if (blocking.syscall == __NR_rt_sigprocmask) {
        return fmt::format(", by its own sigprocmask() {}", when);
    }
    if (blocking.syscall == __NR_rt_sigreturn) {
        return fmt::format(", by the return from a handler {}", when);
    }
    for (const Wait& wait : kWaits) {
        if (wait.syscall == blocking.syscall) {
            return fmt::format(", by its own {} {}", wait.name, when);
        }
    }
    return fmt::format(", by a system call of its own {}", when);
}

std::string by_handler(const Blocking& blocking, const std::string& when)
{
    const std::string returned = blocking.until_ns == 0
        ? "which had not returned"
        : "which took " + time(since(blocking.until_ns, blocking.since_ns));
    return fmt::format(", for it was in its handler of {}, {}, from {} on",
                       decode::signal_name(blocking.handler), returned,
                       when.starts_with("at ") ? when.substr(3) : when);
}

}  // namespace

std::string blocked_by(const aggregate::Report& report, const Blocking& blocking)
{
    const std::string when = at(report, blocking.since_ns);
    switch (blocking.by) {
    case Blocking::By::start: return ", as it did when the trace began";
    case Blocking::By::birth: return ", as it did when it was born";
    case Blocking::By::exec: return ", as it did at its exec already";
    case Blocking::By::call: return by_call(blocking, when);
    case Blocking::By::handler: return by_handler(blocking, when);
    }
    return "";
}

}  // namespace ipcscope::diagnose
