// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/process_table.hpp"

#include <algorithm>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {

/// A killed thread that was not traced has a record, but no time.
void ProcessTable::add(const decode::Event& event, const TimeLedger::Entry& entry)
{
    if (entry.before.span_ns + entry.inside.span_ns == 0) return;
    ProcessRow& row = rows_.use(event.task.tgid);
    const Task process = process_of(event);
    if (row.task.comm.empty() || !process.comm.empty()) row.task = process;
    if (entry.first) ++row.threads;
    row.time += entry.before;
    row.time += entry.inside;
}

void ProcessTable::slice(const decode::Event& event, const decode::Slice& slice)
{
    const decode::State state = decode::state_of(slice.state);
    const bool sleeps = state == decode::State::interruptible ||
                        state == decode::State::uninterruptible ||
                        state == decode::State::killable;
    if (!sleeps || slice.call != 0 || slice.syscall == IPCSCOPE_SYSCALL_NONE ||
        slice.end_ns <= slice.start_ns) {
        return;
    }
    auto& all = rows_.use(event.task.tgid).sleeps;
    auto found = std::ranges::find(all, slice.syscall, &ProcessRow::Sleep::syscall);
    if (found == all.end()) {
        if (all.size() == kMostSleeps) return;
        found = all.insert(all.end(), {slice.syscall, 0});
    }
    found->ns += slice.end_ns - slice.start_ns;
}

std::vector<ProcessRow> ProcessTable::rows() const
{
    std::vector<ProcessRow> out;
    for (const auto& [tgid, row] : rows_) {
        if (row.time.span_ns == 0) continue;   // its first record is to come
        std::ranges::sort(out.emplace_back(row).sleeps, std::ranges::greater{},
                          &ProcessRow::Sleep::ns);
    }
    const auto awake = [](const ProcessRow& row) {
        return row.time.span_ns - row.time.at(Part::sleeping);
    };
    std::stable_sort(out.begin(), out.end(), [&](const ProcessRow& a, const ProcessRow& b) {
        return std::pair(awake(b), a.task.tgid) < std::pair(awake(a), b.task.tgid);
    });
    return out;
}

}  // namespace ipcscope::aggregate
