// SPDX-License-Identifier: GPL-2.0-only
// What the ids are called.  Signal numbers are the kernel's on every architecture
// but alpha, mips, parisc and sparc, whatever the libc of this program says.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <type_traits>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "base/family.hpp"
#include "decode/decode.hpp"
#include "decode/names.hpp"

namespace ipcscope::decode {
namespace {

using Names = std::span<const std::string_view>;

std::string_view at(Names names, std::size_t index)
{
    return index < names.size() ? names[index] : "unknown";
}
template <typename Enum>
    requires std::is_enum_v<Enum>
std::string_view at(Names names, Enum id)
{
    return at(names, static_cast<std::size_t>(id));
}

constexpr std::array<std::string_view, 8> kMalformed{
    "fewer bytes than a record's header",     "a record that goes beyond its bytes",
    "a record smaller than its kind needs",   "a record of an unknown kind",
    "a signal number outside 1..64",          "an id outside its list",
    "more stack entries than a record holds", "a record made on another CPU than its ring's",
};
static_assert(kMalformed.size() == static_cast<std::size_t>(Malformed::bad_cpu) + 1);

constexpr std::array<std::string_view, 20> kKinds{
    "none",         "signal_generate", "signal_take", "kill",        "thread",
    "thread_time",  "thread_exit",     "thread_free", "slice",       "call_pipe",
    "call_splice",  "call_unix",       "call_eventfd", "call_mqueue", "call_sysv",
    "call_futex",   "signal_handler",  "signal_mask", "command",
    "fd_received",
};
static_assert(kKinds.size() == IPCSCOPE_KIND_COUNT);

constexpr std::array<std::string_view, 6> kOfCollector{
    "symbol", "holder", "observed", "process", "user", "cgroup",
};
static_assert(kOfCollector.size() == IPCSCOPE_COLLECTOR_LAST - IPCSCOPE_SYMBOL + 1);

constexpr std::array<std::string_view, 6> kLoss{
    "ring_full", "ring_busy", "table_full", "recursion", "capture_write", "capture_damaged",
};
static_assert(kLoss.size() == IPCSCOPE_LOST_COUNT);

constexpr std::array<std::string_view, 14> kOrigins{
    "task", "kernel", "timer", "parent_exit", "fault", "seccomp", "oom", "cgroup_kill",
    "terminal", "pid_namespace", "orphaned_group", "io", "itimer", "cpu_limit",
};
static_assert(kOrigins.size() == IPCSCOPE_ORIGIN_COUNT);

/// In tables; "": the thread in the header.
constexpr std::array<std::string_view, 14> kOriginLabels{
    "", "kernel", "timer", "", "fault", "seccomp", "OOM killer", "",
    "terminal", "pid namespace", "orphaned group", "I/O", "itimer", "CPU limit",
};
static_assert(kOriginLabels.size() == IPCSCOPE_ORIGIN_COUNT);

constexpr std::array<std::string_view, 5> kOutcomes{
    "delivered", "ignored", "already_pending", "overflow", "info_lost",
};
static_assert(kOutcomes.size() == IPCSCOPE_RESULT_COUNT);

constexpr std::array<std::string_view, 4> kDispositions{
    "default", "ignore", "handler", "unknown",
};
static_assert(kDispositions.size() == IPCSCOPE_DISPOSITION_COUNT);

constexpr std::array<std::string_view, 9> kHows{
    "handler",  "default",    "ignored",   "sigwait",       "signalfd",
    "debugger", "group_exit", "discarded", "kernel_thread",
};
static_assert(kHows.size() == IPCSCOPE_TAKE_COUNT);

constexpr std::array<std::string_view, 4> kGroups{"none", "exit", "exec", "core_dump"};
static_assert(kGroups.size() == IPCSCOPE_GROUP_COUNT);

constexpr std::array<std::string_view, 5> kReasons{
    "seen", "sweep", "fork", "exec", "rename",
};
static_assert(kReasons.size() == IPCSCOPE_THREAD_REASON_COUNT);

constexpr std::array<std::string_view, 13> kObjects{
    "none",    "pipe",   "fifo",     "unix_stream", "unix_dgram", "unix_seqpacket",
    "eventfd", "mqueue", "sysv_msg", "sysv_sem",    "sysv_shm",   "futex",
    "futex_private",
};
static_assert(kObjects.size() == IPCSCOPE_OBJECT_COUNT);

constexpr std::array<std::string_view, 18> kOps{
    "read",     "write", "open",    "resize",  "splice_in", "splice_out",
    "tee",      "vmsplice", "send", "receive", "connect",   "accept",
    "notify",   "semaphore", "attach", "wait", "wake",      "requeue",
};
static_assert(kOps.size() == IPCSCOPE_OP_COUNT);

constexpr std::array<std::string_view, 14> kStates{
    "unknown", "running", "interruptible", "uninterruptible", "killable", "idle",    "stopped",
    "traced",  "zombie",  "dead",          "other",           "runnable", "polling", "frozen",
};
static_assert(kStates.size() == IPCSCOPE_STATE_COUNT);
constexpr std::string_view kStateLetters = "?RSDKITtZX?QPF";
static_assert(kStateLetters.size() == IPCSCOPE_STATE_COUNT);

constexpr std::array<std::string_view, 7> kMissing{
    "status", "syscall", "wait_channel", "stack", "cgroup", "child", "state",
};
static_assert((1u << kMissing.size()) - 1 == IPCSCOPE_MISSING_ALL);

constexpr std::array<std::string_view, 2> kBools{"false", "true"};

/// The list that ids of a meaning are from; empty where there is none.
Names list_of(Meaning meaning)
{
    switch (meaning) {
    case Meaning::BOOL: return kBools;
    case Meaning::STATE: return kStates;
    case Meaning::ORIGIN: return kOrigins;
    case Meaning::RESULT: return kOutcomes;
    case Meaning::DISPOSITION: return kDispositions;
    case Meaning::TAKE: return kHows;
    case Meaning::GROUP: return kGroups;
    case Meaning::REASON: return kReasons;
    case Meaning::OBJECT: return kObjects;
    case Meaning::OP: return kOps;
    case Meaning::CALL: return kKinds;
    case Meaning::TIME:
    case Meaning::SPAN:
    case Meaning::COUNT:
    case Meaning::NUMBER:
    case Meaning::ID:
    case Meaning::HEX:
    case Meaning::DEVICE:
    case Meaning::SIGNAL:
    case Meaning::CALL_FLAGS:
    case Meaning::MISSING:
    case Meaning::SYSCALL:
    case Meaning::DEPTH:
    case Meaning::STACK:
    case Meaning::WAKER:
    case Meaning::COMM:
    case Meaning::WORDS:
    case Meaning::PAD: break;
    }
    return {};
}

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

std::string_view describe(Malformed what) { return at(kMalformed, what); }

std::string_view kind_name(unsigned kind)
{
    if (kind >= 1 && kind < kKinds.size()) return kKinds[kind];
    return kind >= IPCSCOPE_SYMBOL ? at(kOfCollector, kind - IPCSCOPE_SYMBOL) : "unknown";
}

std::string_view family_name(unsigned kind)
{
    for (const Family& family : kFamilies)
        if (kind < 64 && (family.kinds >> kind & 1) != 0) return family.name;
    return {};
}

std::string_view loss_name(unsigned cause) { return at(kLoss, cause); }
std::string_view state_name(State state) { return at(kStates, state); }
std::string_view origin_name(Origin origin) { return at(kOrigins, origin); }
std::string_view origin_label(Origin origin) { return at(kOriginLabels, origin); }
std::string_view outcome_name(Outcome outcome) { return at(kOutcomes, outcome); }
std::string_view disposition_name(Disposition disposition)
{
    return at(kDispositions, disposition);
}
std::string_view how_name(How how) { return at(kHows, how); }
std::string_view group_name(GroupCause cause) { return at(kGroups, cause); }
std::string_view reason_name(ThreadReason reason) { return at(kReasons, reason); }
std::string_view object_name(ObjectType type) { return at(kObjects, type); }
std::string_view op_name(Op op) { return at(kOps, op); }

std::vector<std::string_view> missing_names(unsigned bits)
{
    std::vector<std::string_view> names;
    for (std::size_t bit = 0; bit < kMissing.size(); ++bit)
        if (bits >> bit & 1) names.push_back(kMissing[bit]);
    return names;
}

char state_letter(State state)
{
    const auto index = static_cast<std::size_t>(state);
    return index < kStateLetters.size() ? kStateLetters[index] : '?';
}

std::string_view id_name(Meaning meaning, std::uint64_t id)
{
    const Names names = list_of(meaning);
    return names.empty() ? std::string_view{} : at(names, id);
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

std::string terminal_name(std::uint32_t dev)
{
    constexpr std::uint32_t kPtsPerMajor = 256;
    const std::uint32_t major = dev >> 20;
    const std::uint32_t minor = dev & 0xfffff;
    if (major >= 136 && major <= 143)
        return fmt::format("/dev/pts/{}", (major - 136) * kPtsPerMajor + minor);
    if (major == 4) {
        return minor < 64 ? fmt::format("/dev/tty{}", minor)
                          : fmt::format("/dev/ttyS{}", minor - 64);
    }
    if (major == 5 && minor == 1) return "/dev/console";
    if (major == 229) return fmt::format("/dev/hvc{}", minor);
    return fmt::format("{}:{}", major, minor);
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
