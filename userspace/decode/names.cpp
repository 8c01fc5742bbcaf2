// SPDX-License-Identifier: GPL-2.0-only
// What the ids are called.  Signal numbers are the kernel's on every architecture
// but alpha, mips, parisc and sparc, whatever the libc of this program says.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "decode/decode.hpp"

namespace ipcscope::decode {
namespace {

template <std::size_t N>
std::string_view at(const std::array<std::string_view, N>& names, std::size_t index)
{
    return index < N ? names[index] : "unknown";
}

constexpr std::array<std::string_view, 8> kMalformed{
    "fewer bytes than a record's header",     "a record that goes beyond its bytes",
    "a record smaller than its kind needs",   "a record of an unknown kind",
    "a signal number outside 1..64",          "an id outside its list",
    "more stack entries than a record holds", "a record made on another CPU than its ring's",
};
static_assert(kMalformed.size() == static_cast<std::size_t>(Malformed::bad_cpu) + 1);

constexpr std::array<std::string_view, 6> kLoss{
    "ring_full", "ring_busy", "table_full", "recursion", "capture_write", "capture_damaged",
};
static_assert(kLoss.size() == IPCSCOPE_LOST_COUNT);

constexpr std::array<std::string_view, 5> kOutcomes{
    "delivered", "ignored", "already_pending", "overflow", "info_lost",
};
static_assert(kOutcomes.size() == IPCSCOPE_RESULT_COUNT);

constexpr std::string_view kStates = "?RSDKITtZX?";
static_assert(kStates.size() == IPCSCOPE_STATE_COUNT);

constexpr std::array<std::string_view, 32> kSignals{
    "0",    "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

struct Alias {
    std::string_view name;
    unsigned signal;
};
constexpr std::array kAliases{
    Alias{"IOT", 6},
    Alias{"CLD", 17},
    Alias{"POLL", 29},
    Alias{"UNUSED", 31},
};

// The kernel's real-time signals begin at 32; libc keeps the first two.
constexpr unsigned kRtMin = 34;
constexpr unsigned kRtMax = 64;

std::optional<unsigned> number(std::string_view digits)
{
    unsigned value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
    return value;
}

std::string upper(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

/// "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n"; 0 if it is none of them.
unsigned realtime_number(std::string_view name)
{
    const bool from_min = name.starts_with("RTMIN");
    if (!from_min && !name.starts_with("RTMAX")) return 0;
    name.remove_prefix(5);
    const unsigned base = from_min ? kRtMin : kRtMax;
    if (name.empty()) return base;
    if (name.front() != (from_min ? '+' : '-')) return 0;
    const auto offset = number(name.substr(1));
    if (!offset || *offset > kRtMax - kRtMin) return 0;
    return from_min ? base + *offset : base - *offset;
}

}  // namespace

std::string_view describe(Malformed what)
{
    return at(kMalformed, static_cast<std::size_t>(what));
}

std::string_view loss_name(unsigned cause) { return at(kLoss, cause); }

std::string_view outcome_name(Outcome outcome)
{
    return at(kOutcomes, static_cast<std::size_t>(outcome));
}

char state_letter(State state)
{
    const auto index = static_cast<std::size_t>(state);
    return index < kStates.size() ? kStates[index] : '?';
}

std::string signal_name(unsigned signal)
{
    if (signal >= 1 && signal < kSignals.size()) return fmt::format("SIG{}", kSignals[signal]);
    if (signal == kRtMin) return "SIGRTMIN";
    if (signal == kRtMax) return "SIGRTMAX";
    if (signal < kRtMin || signal > kRtMax) return fmt::format("SIG{}", signal);
    // As `kill -l` does: from the nearer end.
    return signal < 50 ? fmt::format("SIGRTMIN+{}", signal - kRtMin)
                       : fmt::format("SIGRTMAX-{}", kRtMax - signal);
}

unsigned signal_number(std::string_view name)
{
    const std::string upper_name = upper(name);
    std::string_view wanted = upper_name;
    if (wanted.starts_with("SIG")) wanted.remove_prefix(3);
    if (const auto value = number(wanted)) return *value <= kRtMax ? *value : 0;
    const auto standard = std::find(kSignals.begin() + 1, kSignals.end(), wanted);
    if (standard != kSignals.end()) return static_cast<unsigned>(standard - kSignals.begin());
    for (const Alias& alias : kAliases)
        if (alias.name == wanted) return alias.signal;
    return realtime_number(wanted);
}

}  // namespace ipcscope::decode
