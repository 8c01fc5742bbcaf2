// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/lineage_table.hpp"

#include <algorithm>
#include <tuple>

#include <ipcscope/policy.h>

#include "base/collector.hpp"

namespace ipcscope::aggregate {
namespace {

/// What both kinds of record say of a process.
template <typename Known, typename Record>
void describe(Known& known, const Record& record)
{
    known.uid = record.uid;
    known.ns_pid = record.ns_pid;
    known.cgroup = record.cgroup;
}

SafeText name_of(const std::unordered_map<std::uint64_t, SafeText>& names, std::uint64_t id)
{
    const auto found = names.find(id);
    return found == names.end() ? SafeText() : found->second;
}

}  // namespace

void LineageTable::on(const decode::Event& event, const decode::Thread& body)
{
    const std::uint32_t tgid = event.task.tgid;
    const bool leader = event.task.tid == tgid;
    if (!leader && processes_.find(tgid) != nullptr) {
        return;
    }
    Known& known = processes_.use(tgid);
    const bool forked = body.reason == IPCSCOPE_THREAD_FORK;
    if (leader && (forked || (known.start_ns != 0 && body.start_ns != 0 &&
                              body.start_ns != known.start_ns))) {
        known = {};   // of the last bearer of the number
    }
    if (body.reason == IPCSCOPE_THREAD_EXEC) {
        known.command = {};
    }
    describe(known, body);
    known.ppid = body.ppid;
    known.told_ns = event.time_ns;
    known.traced |= forked || (body.reason == IPCSCOPE_THREAD_SWEEP && event.cpu != kCollectorCpu);
    known.ended = false;
    if (leader) {
        known.comm = event.task.comm;
        known.start_ns = body.start_ns != 0 ? body.start_ns : known.start_ns;
    } else {
        known.ns_pid = 0;   // it is the thread's
    }
}

void LineageTable::on(const decode::Event& event, const decode::ThreadTime& body)
{
    Known* known = processes_.find(event.task.tgid);
    if (known != nullptr && event.kind == IPCSCOPE_THREAD_EXIT && body.group_dead != 0) {
        known->ended = true;
    }
}

void LineageTable::on(const decode::Event& event, const decode::ThreadFree&)
{
    Known* known = processes_.find(event.task.tgid);
    if (known != nullptr && event.task.tid == event.task.tgid) {
        known->ended = true;
    }
}

void LineageTable::on(const decode::Event& event, const decode::Process& body)
{
    Known& known = processes_.use(event.task.tgid);
    known.looked_ns = event.time_ns;
    known.looked_ppid = body.record.ppid;
    if (!body.command.empty()) {
        known.command = body.command;
    }
    known.looked_comm = std::string_view{reinterpret_cast<const char*>(body.record.comm),
                                         sizeof body.record.comm};
    // No record says that a process has changed its user, or its cgroup.
    describe(known, body.record);
    if (!known.traced) {
        known.comm = known.looked_comm;
    }
}

void LineageTable::on(const decode::Event& event, const decode::SignalGenerate& body)
{
    if (body.sig == 0 || !ipcscope_ends_or_stops(body.sig, body.fatal)) {
        return;
    }
    if (decode::names_sender(decode::origin_of(body))) {
        note(event.task.tgid, event.time_ns);
    }
    note(body.target_tgid, event.time_ns);
}

void LineageTable::note(std::uint32_t tgid, std::uint64_t time_ns)
{
    std::vector<Lineage>& all = noted_.use(tgid);
    Lineage now = lineage_of(tgid);
    now.at_ns = all.empty() ? 0 : all.back().at_ns;
    if (all.size() > kMostEach || (!all.empty() && now == all.back())) {
        return;
    }
    if (all.size() == kMostEach) {
        now = Lineage{};   // what follows is not kept, and so not known
        now.tgid = tgid;
    }
    now.at_ns = time_ns;
    all.push_back(std::move(now));
}

std::uint32_t LineageTable::parent_of(const Known& process) const
{
    const Known* parent = processes_.find(process.ppid);
    const bool sure = parent != nullptr && parent->traced && !parent->ended;
    return process.looked_ns > process.told_ns && !sure ? process.looked_ppid : process.ppid;
}

Lineage LineageTable::lineage_of(std::uint32_t tgid) const
{
    Lineage made;
    made.tgid = tgid;
    const Known* known = processes_.find(tgid);
    if (known == nullptr) {
        return made;
    }
    made.known = true;
    describe(made, *known);
    if (known->comm == known->looked_comm) {   // else it is that of a later program
        made.command = known->command;
    }
    while (made.ancestors.size() < kMostAncestors) {
        const std::uint32_t parent = parent_of(*known);
        made.whole = parent == 0 && (known->told_ns != 0 || known->looked_ns != 0);
        if (parent == 0) {
            break;
        }
        known = processes_.find(parent);
        made.ancestors.push_back({{parent, 0, known != nullptr ? known->comm : Comm()},
                                  known != nullptr && known->ended});
        if (known == nullptr) {
            break;
        }
    }
    return made;
}

std::vector<Lineage> LineageTable::rows() const
{
    std::vector<Lineage> out;
    noted_.visit_all([&](const auto& entry, std::uint64_t) {
        out.insert(out.end(), entry.second.begin(), entry.second.end());
    });
    for (Lineage& lineage : out) {
        if (lineage.known) {
            lineage.user = name_of(users_, lineage.uid);
            lineage.cgroup_path = name_of(cgroups_, lineage.cgroup);
        }
    }
    std::ranges::sort(out, {}, [](const Lineage& lineage) {
        return std::tuple(lineage.tgid, lineage.at_ns);
    });
    return out;
}

}  // namespace ipcscope::aggregate
