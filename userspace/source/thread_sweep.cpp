// SPDX-License-Identifier: GPL-2.0-only
#include "source/thread_sweep.hpp"

#include <algorithm>

#include <fcntl.h>

#include <fmt/format.h>

namespace ipcscope::source {

bool ProcessNames::add(const ipcscope_thread& leader)
{
    Name name;
    std::ranges::copy(leader.comm, name.begin());
    const auto [known, is_new] = names_.try_emplace(leader.header.tgid, name);
    if (!is_new && known->second == name) {
        return false;
    }
    known->second = name;
    return true;
}

ThreadSweep::ThreadSweep(std::uint64_t time_ns, proc::Cgroups& cgroups, ProcessNames& names)
    : time_ns_(time_ns), cgroups_(cgroups), names_(names), processes_(proc::processes())
{
    std::ranges::reverse(processes_);
}

bool ThreadSweep::next_process()
{
    while (tids_.empty()) {
        if (processes_.empty()) {
            return false;
        }
        tgid_ = processes_.back();
        processes_.pop_back();
        tasks_ = proc::open_directory(AT_FDCWD, fmt::format("/proc/{}/task", tgid_).c_str());
        tids_ = proc::numbers(tasks_);
        std::ranges::reverse(tids_);
    }
    return true;
}

bool ThreadSweep::append(Notes& notes, Deadline deadline)
{
    while (next_process()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        const std::uint32_t tid = tids_.back();
        tids_.pop_back();
        auto record = proc::thread(tasks_, tid, cgroups_);
        if (!record) {
            continue;
        }
        record->header.time_ns = time_ns_;
        record->reason = IPCSCOPE_THREAD_SWEEP;
        if (tid == tgid_) {
            names_.add(*record);
        }
        notes.add(*record, IPCSCOPE_THREAD);
    }
    return true;
}

}  // namespace ipcscope::source
