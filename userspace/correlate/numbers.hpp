// SPDX-License-Identifier: GPL-2.0-only
// Signal numbers of the traced kernel that the rules name.
//
// Not from <csignal>: a capture keeps the numbers of the machine it was made on
// (these are the same on x86, Arm, RISC-V, s390 and POWER).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace ipcscope::correlate {

constexpr unsigned kSigQuit = 3, kSigIll = 4, kSigTrap = 5, kSigAbrt = 6, kSigBus = 7,
                   kSigFpe = 8, kSigKill = 9, kSigSegv = 11, kSigChld = 17, kSigCont = 18,
                   kSigStop = 19, kSigTstp = 20, kSigTtin = 21, kSigTtou = 22,
                   kSigUrg = 23, kSigXcpu = 24, kSigXfsz = 25, kSigWinch = 28,
                   kSigSys = 31, kFirstRealTime = 32;

constexpr std::array kStopSignals{kSigStop, kSigTstp, kSigTtin, kSigTtou};
constexpr std::array kCoreSignals{kSigQuit, kSigIll, kSigTrap, kSigAbrt, kSigBus,
                                  kSigFpe, kSigSegv, kSigXcpu, kSigXfsz, kSigSys};
constexpr std::array kIgnoredByDefault{kSigChld, kSigCont, kSigUrg, kSigWinch};

template <std::size_t N>
constexpr bool is_in(const std::array<unsigned, N>& set, unsigned signal)
{
    return std::find(set.begin(), set.end(), signal) != set.end();
}

constexpr bool is_stop(unsigned signal) { return is_in(kStopSignals, signal); }
constexpr bool dumps_core(unsigned signal) { return is_in(kCoreSignals, signal); }
constexpr bool is_real_time(unsigned signal) { return signal >= kFirstRealTime; }

/// Whether its default action is to end the process at once.
constexpr bool ends_by_default(unsigned signal)
{
    return !is_stop(signal) && !dumps_core(signal) && !is_in(kIgnoredByDefault, signal);
}

}  // namespace ipcscope::correlate
