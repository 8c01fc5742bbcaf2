// SPDX-License-Identifier: GPL-2.0-only
#include "source/observer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/syscall.h>

#include <fmt/format.h>

#include "source/proc_text.hpp"

namespace ipcscope::source {
namespace proc {

/// The name, in brackets, may hold anything: the last bracket ends it.
std::optional<Stat> parse_stat(std::string_view text)
{
    const auto bracket = text.rfind(')');
    if (bracket == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(bracket + 1);
    Stat stat;
    const std::string_view state = take_word(text);
    if (state.size() != 1) {
        return std::nullopt;
    }
    stat.state = state.front();
    constexpr int kFirst = 4, kStart = 22, kExitCode = 52;   // of proc(5)
    for (int field = kFirst; field <= kExitCode; ++field) {
        const std::string_view word = take_word(text);
        if (field == kStart) {
            parse_number(word, stat.start_ticks);
        } else if (field == kExitCode) {
            parse_number(word, stat.exit_code);
        }
    }
    return stat;
}

std::uint8_t state_of_letter(char letter)
{
    switch (letter) {
    case 'R': return IPCSCOPE_STATE_RUNNING;
    case 'S': return IPCSCOPE_STATE_INTERRUPTIBLE;
    case 'D': return IPCSCOPE_STATE_UNINTERRUPTIBLE;
    case 'I': return IPCSCOPE_STATE_IDLE;
    case 'T': return IPCSCOPE_STATE_STOPPED;
    case 't': return IPCSCOPE_STATE_TRACED;
    case 'Z': return IPCSCOPE_STATE_ZOMBIE;
    case 'X': return IPCSCOPE_STATE_DEAD;
    default: return IPCSCOPE_STATE_OTHER;
    }
}

bool parse_signal_masks(std::string_view text, ipcscope_observed& record)
{
    unsigned found = 0;
    while (!text.empty()) {
        std::string_view value = take_line(text);
        const std::string_view key = take_word(value);
        const std::string_view word = take_word(value);
        std::uint64_t mask = 0;
        if (key == "PPid:") {
            parse_number(word, record.ppid);
        } else if (key == "TracerPid:") {
            parse_number(word, record.tracer_pid);
        } else if ((key == "SigPnd:" || key == "ShdPnd:") && parse_number(word, mask, 16)) {
            record.pending |= mask;
        } else if (key == "SigBlk:") {
            found += parse_number(word, record.blocked, 16);
        } else if (key == "SigIgn:") {
            found += parse_number(word, record.ignored, 16);
        } else if (key == "SigCgt:") {
            found += parse_number(word, record.caught, 16);
        }
    }
    return found == 3;
}

std::optional<Syscall> parse_syscall(std::string_view text)
{
    Syscall found;
    const std::string_view first = take_word(text);
    if (first == "running") {
        return found;
    }
    std::int64_t number = 0;
    if (!parse_number(first, number)) {
        return std::nullopt;
    }
    if (number >= 0 && number < IPCSCOPE_SYSCALL_NONE) {
        found.number = static_cast<std::uint16_t>(number);
        parse_number(take_word(text), found.argument, 16);
        take_word(text);
        parse_number(take_word(text), found.bytes, 16);
    }
    return found;
}

}  // namespace proc

namespace {

/// vfork(), or clone() with CLONE_VFORK: only these sleep in D in that call.
bool may_wait_for_child(const ipcscope_observed& record)
{
    if (record.state != IPCSCOPE_STATE_UNINTERRUPTIBLE) {
        return false;
    }
    switch (record.syscall) {
#ifdef SYS_vfork
    case SYS_vfork:
#endif
#ifdef SYS_clone3
    case SYS_clone3:
#endif
    case SYS_clone: return true;
    default: return false;
    }
}

/// The newest of a thread's children; 0: it has none.
std::uint32_t last_of(std::string_view children)
{
    std::string_view last;
    for (auto word = proc::take_word(children); !word.empty(); word = proc::take_word(children)) {
        last = word;
    }
    std::uint32_t child = 0;
    proc::parse_number(last, child);
    return child;
}

std::string_view trimmed(std::string_view line) { return line.substr(0, line.find('\n')); }

}  // namespace

Observer::Observer(ThreadStacks& stacks, proc::Cgroups& cgroups, std::string root)
    : stacks_(stacks), cgroups_(cgroups), root_(std::move(root))
{
}

/// Of a process that another user may not see (hidepid), /proc has no directory.
bool Observer::is_hidden(std::uint32_t tgid) const
{
    return ::kill(static_cast<pid_t>(tgid), 0) == 0 || errno == EPERM;
}

ObservedProcess Observer::look(std::uint32_t tgid) const
{
    ObservedProcess process;
    const Fd tasks =
        proc::open_directory(AT_FDCWD, fmt::format("{}/{}/task", root_, tgid).c_str());
    std::vector<std::uint32_t> tids = proc::numbers(tasks);
    if (!tasks && is_hidden(tgid)) {
        ObservedThread& leader = process.threads.emplace_back();
        leader.record.header.tgid = leader.record.header.tid = tgid;
        leader.record.syscall = IPCSCOPE_SYSCALL_NONE;
        leader.record.missing = IPCSCOPE_MISSING_ALL & ~IPCSCOPE_MISSING_CHILD;
        process.exists = true;
        return process;
    }
    std::ranges::sort(tids, {}, [&](std::uint32_t tid) { return std::pair(tid != tgid, tid); });
    const auto count = static_cast<std::uint32_t>(tids.size());
    tids.resize(std::min(tids.size(), kMostThreads));
    std::array<char, 4096> buffer;
    for (const std::uint32_t tid : tids) {
        const auto text = proc::read_file(tasks, fmt::format("{}/stat", tid), buffer);
        const auto stat = proc::parse_stat(text);
        if (!stat || stat->state == 'X') {
            continue;   // it has ended
        }
        ObservedThread& thread = process.threads.emplace_back();
        thread.record.header.tgid = tgid;
        thread.record.header.tid = tid;
        thread.record.threads = count;
        thread.record.state = proc::state_of_letter(stat->state);
        if (thread.record.state == IPCSCOPE_STATE_ZOMBIE) {
            thread.record.exit_code = stat->exit_code;
        }
        if (process.start_ticks == 0) {
            process.start_ticks = stat->start_ticks;
        }
        look_at_thread(tasks, thread);
    }
    process.exists = !process.threads.empty();
    return process;
}

void Observer::look_at_thread(const Fd& tasks, ObservedThread& thread) const
{
    ipcscope_observed& record = thread.record;
    const std::uint32_t tid = record.header.tid;
    std::array<char, 16384> buffer;
    const auto read = [&](const char* file) {
        return proc::read_file(tasks, fmt::format("{}/{}", tid, file), buffer);
    };
    const auto miss = [&](unsigned what) {
        record.missing = static_cast<__u16>(record.missing | what);
    };
    record.syscall = IPCSCOPE_SYSCALL_NONE;
    if (!proc::parse_signal_masks(read("status"), record)) {
        miss(IPCSCOPE_MISSING_STATUS);
    }
    const auto frozen = cgroups_.is_frozen(read("cgroup"));
    record.frozen = frozen.value_or(false);
    if (!frozen) {
        miss(IPCSCOPE_MISSING_CGROUP);
    }
    if (record.state == IPCSCOPE_STATE_ZOMBIE || record.state == IPCSCOPE_STATE_RUNNING) {
        return;   // it sleeps in nothing
    }
    const auto syscall = proc::parse_syscall(
        stacks_.read(record.header.tgid, tid, ThreadStacks::File::syscall));
    if (syscall) {
        record.syscall = syscall->number;
    } else {
        miss(IPCSCOPE_MISSING_SYSCALL);
    }
    thread.wait_channel = trimmed(read("wchan"));
    if (thread.wait_channel.empty() || thread.wait_channel == "0") {
        thread.wait_channel.clear();
        miss(IPCSCOPE_MISSING_WAIT_CHANNEL);
    }
    thread.stack = stacks_.read(record.header.tgid, tid);
    if (thread.stack.find(']') == std::string::npos) {
        thread.stack.clear();
        miss(IPCSCOPE_MISSING_STACK);
    }
    if (may_wait_for_child(record)) {
        record.vfork_child = last_of(read("children"));
        if (record.vfork_child == 0) {
            miss(IPCSCOPE_MISSING_CHILD);
        }
    }
}

}  // namespace ipcscope::source
