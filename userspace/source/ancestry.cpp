// SPDX-License-Identifier: GPL-2.0-only
#include "source/ancestry.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fcntl.h>

#include <fmt/format.h>

#include <ipcscope/policy.h>

#include "source/observer.hpp"

namespace ipcscope::source {
namespace {

constexpr std::uint64_t kAgain_ns = 1'000'000'000;
constexpr unsigned kMostAncestors = 32;

ipcscope_process process_record(const ipcscope_thread& leader)
{
    ipcscope_process record{};
    record.header.tgid = leader.header.tgid;
    record.header.tid = leader.header.tgid;
    record.cgroup = leader.cgroup;
    record.ppid = leader.ppid;
    record.ns_pid = leader.ns_pid;
    record.uid = leader.uid;
    std::ranges::copy(leader.comm, record.comm);
    return record;
}

/// Of the others the thread in the header is a bystander, or the target.
bool names_sender(std::uint8_t origin)
{
    return origin == IPCSCOPE_ORIGIN_TASK || origin == IPCSCOPE_ORIGIN_PARENT_EXIT ||
           origin == IPCSCOPE_ORIGIN_CGROUP_KILL;
}

}  // namespace

void Ancestry::saw(const ipcscope_signal_generate& sent, Notes& notes)
{
    if (sent.sig < 1 || sent.sig > 64 || !ipcscope_ends_or_stops(sent.sig, sent.fatal)) {
        return;
    }
    if (names_sender(sent.origin)) {
        note(sent.header.tgid, sent.header.time_ns, notes);
    }
    note(sent.target_tgid, sent.header.time_ns, notes);
}

void Ancestry::saw(const ipcscope_thread& thread)
{
    const std::uint32_t tgid = thread.header.tgid;
    if (thread.header.tid != tgid) {
        return;
    }
    if (recorded_.size() >= kMost) {
        recorded_.clear();
    }
    Recorded& recorded = recorded_[tgid];
    if (thread.reason != IPCSCOPE_THREAD_SEEN || thread.start_ns != recorded.leader.start_ns) {
        noted_.erase(tgid);
    }
    if (thread.reason == IPCSCOPE_THREAD_FORK || thread.reason == IPCSCOPE_THREAD_EXEC) {
        recorded.command.clear();
    }
    recorded.leader = thread;
}

void Ancestry::saw(const ipcscope_command& command)
{
    const auto recorded = recorded_.find(command.header.tgid);
    if (recorded == recorded_.end() || command.bytes == 0) {
        return;
    }
    const std::size_t bytes = std::min<std::size_t>(command.bytes, sizeof command.words);
    recorded->second.command =
        proc::command_line({reinterpret_cast<const char*>(command.words), bytes});
    if (command.bytes > bytes) {
        recorded->second.command += "...";
    }
}

void Ancestry::freed(std::uint32_t tgid)
{
    recorded_.erase(tgid);
    noted_.erase(tgid);
}

bool Ancestry::has_time(std::uint64_t time_ns)
{
    if (time_ns >= second_ns_ + kAgain_ns) {
        second_ns_ = time_ns;
        reads_ = 0;
    }
    return reads_ < kMostInASecond;
}

void Ancestry::note(std::uint32_t tgid, std::uint64_t time_ns, Notes& notes)
{
    Age age{time_ns, UINT64_MAX};
    for (unsigned number = 0; tgid != 0 && number <= kMostAncestors && has_time(time_ns);
         ++number) {
        if (noted_.size() >= kMost) {
            noted_.clear();
        }
        const auto [at, is_new] = noted_.try_emplace(tgid, time_ns);
        if (!is_new && time_ns < at->second + kAgain_ns) {
            return;   // and so are its ancestors
        }
        at->second = time_ns;
        ++reads_;
        tgid = note_one(tgid, age, number == 0, notes);
    }
}

std::uint32_t Ancestry::note_one(std::uint32_t tgid, Age& age, bool with_command, Notes& notes)
{
    std::array<char, 4096> buffer;
    const Fd tasks =
        proc::open_directory(AT_FDCWD, fmt::format("/proc/{}/task", tgid).c_str());
    const auto stat =
        proc::parse_stat(proc::read_file(tasks, fmt::format("{}/stat", tgid), buffer));
    const auto leader = proc::thread(tasks, tgid, cgroups_);
    if (!stat || !leader) {
        return note_recorded(tgid, age.time_ns, with_command, notes);
    }
    if (proc::began_after(stat->start_ticks, age.time_ns) ||
        stat->start_ticks > age.start_ticks) {
        return 0;   // its number is another's now
    }
    age.start_ticks = stat->start_ticks;
    ipcscope_process record = process_record(*leader);
    record.header.time_ns = age.time_ns;
    std::string command =
        with_command ? proc::command_line(
                           proc::read_file(tasks, fmt::format("{}/cmdline", tgid), buffer))
                     : "";
    if (const auto recorded = recorded_.find(tgid);
        with_command && command.empty() && recorded != recorded_.end()) {
        command = recorded->second.command;   // it is a zombie
    }
    notes.add(record, IPCSCOPE_PROCESS, command);
    return record.ppid;
}

std::uint32_t Ancestry::note_recorded(std::uint32_t tgid, std::uint64_t time_ns,
                                      bool with_command, Notes& notes) const
{
    const auto recorded = recorded_.find(tgid);
    if (recorded == recorded_.end()) {
        return 0;
    }
    if (with_command && !recorded->second.command.empty()) {
        ipcscope_process record = process_record(recorded->second.leader);
        record.header.time_ns = time_ns;
        notes.add(record, IPCSCOPE_PROCESS, recorded->second.command);
    }
    return recorded->second.leader.ppid;
}

}  // namespace ipcscope::source
