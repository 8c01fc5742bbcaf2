// SPDX-License-Identifier: GPL-2.0-only
// What of the running kernel decides how the programs are configured.
#pragma once

#include <string>

#include "base/result.hpp"

struct btf;

namespace ipcscope::source::bpf {

struct KernelTraits {
    bool preempts_programs = false;   ///< twins are needed (bpf/call.bpf.h)
    bool realtime = false;            ///< PREEMPT_RT: siglock sleeps
    bool switch_prev_state = false;   ///< sched_switch has the argument prev_state
};

/// Exit::kernel where the programs would not be sound.
Result<KernelTraits> kernel_traits(const ::btf* btf);

/// Of what the file says in /sys/kernel/debug/sched/preempt: "none (voluntary) full".
bool preempts(const std::string& modes);

}  // namespace ipcscope::source::bpf
