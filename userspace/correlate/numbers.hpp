// SPDX-License-Identifier: GPL-2.0-only
// Signals that the rules name, by the contract's sets (ipcscope/policy.h): a capture
// keeps the numbers of the machine it was made on, not those of this one's <csignal>.
#pragma once

#include <cstdint>

#include <ipcscope/policy.h>

namespace ipcscope::correlate {

constexpr unsigned kSigKill = IPCSCOPE_SIGKILL, kSigChld = IPCSCOPE_SIGCHLD,
                   kSigCont = IPCSCOPE_SIGCONT, kFirstRealTime = 32, kLastSignal = 64;

constexpr bool is_in(std::uint64_t set, unsigned signal)
{
    return signal >= 1 && signal <= kLastSignal && (set & IPCSCOPE_SIG_BIT(signal)) != 0;
}

constexpr bool is_stop(unsigned signal) { return is_in(IPCSCOPE_STOP_SIGNALS, signal); }
constexpr bool dumps_core(unsigned signal) { return is_in(IPCSCOPE_CORE_SIGNALS, signal); }
constexpr bool is_real_time(unsigned signal) { return signal >= kFirstRealTime; }

/// Whether its default action is to end the process at once.
constexpr bool ends_by_default(unsigned signal)
{
    return !is_in(IPCSCOPE_STOP_SIGNALS | IPCSCOPE_CORE_SIGNALS | IPCSCOPE_DEFAULT_IGNORED,
                  signal);
}

}  // namespace ipcscope::correlate
