// SPDX-License-Identifier: GPL-2.0-only
#include "source/signal_origin.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <ipcscope/record.h>

namespace ipcscope::source {
namespace {

struct Caller {
    std::string_view function;
    std::uint8_t origin;
};

/// All are in the kernels of vm/kernels under these names, but for cgroup.kill, which came
/// with 5.14 (661ee6280931).
constexpr std::array kCallers{
    Caller{"__oom_kill_process", IPCSCOPE_ORIGIN_OOM},
    Caller{"oom_kill_process", IPCSCOPE_ORIGIN_OOM},
    Caller{"oom_kill_memcg_member", IPCSCOPE_ORIGIN_OOM},
    Caller{"__cgroup_kill", IPCSCOPE_ORIGIN_CGROUP_KILL},
    Caller{"cgroup_kill_write", IPCSCOPE_ORIGIN_CGROUP_KILL},
    Caller{"isig", IPCSCOPE_ORIGIN_TERMINAL},                        // ^C, ^\, ^Z
    Caller{"tty_signal_session_leader", IPCSCOPE_ORIGIN_TERMINAL},   // hangup
    Caller{"disassociate_ctty", IPCSCOPE_ORIGIN_TERMINAL},           // its leader ended
    Caller{"__tty_check_change", IPCSCOPE_ORIGIN_TERMINAL},          // SIGTTIN, SIGTTOU
    Caller{"tty_do_resize", IPCSCOPE_ORIGIN_TERMINAL},
    Caller{"zap_pid_ns_processes", IPCSCOPE_ORIGIN_PID_NAMESPACE},
    Caller{"kill_orphaned_pgrp", IPCSCOPE_ORIGIN_ORPHANED_GROUP},
    Caller{"send_sigio_to_task", IPCSCOPE_ORIGIN_IO},
    Caller{"send_sigio", IPCSCOPE_ORIGIN_IO},
    Caller{"send_sigurg", IPCSCOPE_ORIGIN_IO},
    Caller{"posix_cpu_timers_work", IPCSCOPE_ORIGIN_CPU_LIMIT},
    Caller{"run_posix_cpu_timers", IPCSCOPE_ORIGIN_CPU_LIMIT},
};

}  // namespace

std::uint8_t origin_by_callers(std::span<const std::string> callers, std::uint8_t origin)
{
    for (const std::string& caller : callers) {
        // Without the offset, and what the compiler made of it (.isra.0).
        const std::string_view function =
            std::string_view(caller).substr(0, caller.find_first_of("+."));
        const auto found = std::ranges::find(kCallers, function, &Caller::function);
        if (found != kCallers.end()) {
            return found->origin;
        }
    }
    return origin;
}

}  // namespace ipcscope::source
