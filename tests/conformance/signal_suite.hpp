// SPDX-License-Identifier: GPL-2.0-only
// One trace of the workload signal_fields, looked at by many tests.
#pragma once

#include <gtest/gtest.h>

#include "show.hpp"

namespace ipcscope::conformance {

// The kernel's numbers; <csignal> would make a macro of si_pid.
inline constexpr int SI_USER_ = 0, SI_QUEUE_ = -1, SI_TIMER_ = -2, SI_TKILL_ = -6,
                     SI_KERNEL_ = 0x80;
inline constexpr std::uint32_t SA_SIGINFO_ = 4, SA_RESTORER_ = 0x04000000,
                               SA_RESTART_ = 0x10000000, SA_NODEFER_ = 0x40000000;

/// A taking as the contract describes it for `how`, of a signal by kill(2).
decode::SignalTake expected_take(unsigned signal, unsigned how);
/// A SIGKILL that was never generated.
decode::SignalTake expected_group_exit(unsigned group, unsigned group_signal);

std::vector<std::string> shown(const Generations& all);
std::vector<std::string> shown(const Takings& all);

class SignalSuite : public testing::Test {
protected:
    static const Trace& trace();   ///< recorded once for all suites on it
    static const Capture& capture() { return trace().capture; }
    static std::uint64_t fact(const std::string& name) { return trace().facts.at(name); }
    static std::uint64_t director() { return fact("director"); }
    static std::string director_shown();

    /// What a kill() by the director generates, at a target that sleeps and has
    /// left the signal alone.  Of fact `name`: process, thread.
    static decode::SignalGenerate expected_to(const std::string& name, unsigned signal);
    /// Exactly `count` by the director to the process of fact `name`, which is
    /// called `comm`, each equal.
    static void expect_generated(const std::string& name, const char* comm,
                                 const decode::SignalGenerate& expected, std::size_t count);
    /// Taken by a handler `count` times, in no other way.  The values of queued
    /// ones are left to the caller.
    static void expect_handled(const std::string& name, unsigned signal, std::size_t count,
                               int si_code, std::uint32_t sa_flags);
    static Json row_of(const std::string& name, unsigned signal)
    {
        return signal_row(trace().report, director(), fact(name), signal);
    }
};

}  // namespace ipcscope::conformance
