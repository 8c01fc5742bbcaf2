// SPDX-License-Identifier: GPL-2.0-only
// Which processes wait for each other in a circle?
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/pipe_kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::PipeEndRow;
using aggregate::PipeRow;
using Ended = LongWait::Ended;

constexpr std::size_t kMostBrokenOff = 256;

/// A thread in the circle: its wait, and the threads that alone can end it.
struct Member {
    const LongWait* wait;
    const PipeRow* pipe;
    std::set<std::uint32_t> waits_for;   ///< 0: some thread of which nothing is known
};
using Members = std::map<std::uint32_t, Member>;   ///< by thread

/// The thread that uses the end: the only one that did, or that there is; 0: not known.
std::uint32_t user_of(const WaitGraph& graph, const PipeEndRow& end)
{
    return graph.threads(end.task.tgid) == 1 ? end.task.tgid : end.only_tid;
}

/// All that waited at that time, with those for whom they waited.
Members waiting_at(const WaitGraph& graph, std::uint64_t time_ns)
{
    Members members;
    for (const LongWait& wait : graph.waits()) {
        const PipeRow* pipe = graph.pipe(wait.inode, wait.dev);
        if (pipe == nullptr || wait.start_ns >= time_ns || wait.end_ns < time_ns) {
            continue;
        }
        const HeldBy held = graph.held_by(*pipe, wait.output, time_ns);
        if (!held.known) {
            continue;
        }
        Member member{&wait, pipe, {}};
        for (const PipeEndRow* end : held.ends) {
            member.waits_for.insert(user_of(graph, *end));
        }
        members.emplace(wait.waiter.tid, std::move(member));
    }
    return members;
}

std::set<std::uint32_t> reached(const Members& members, std::uint32_t from)
{
    std::set<std::uint32_t> found;
    std::vector<std::uint32_t> open{from};
    while (!open.empty()) {
        const Member& member = members.at(open.back());
        open.pop_back();
        for (const std::uint32_t next : member.waits_for) {
            if (found.insert(next).second) {
                open.push_back(next);
            }
        }
    }
    return found;
}

/// Those that wait for each other and for no other, among them `tid`.
Members circle(Members members, std::uint32_t tid)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (auto at = members.begin(); at != members.end();) {
            const bool goes_on =
                std::ranges::any_of(at->second.waits_for, [&](std::uint32_t other) {
                    return !members.contains(other);
                });
            changed |= goes_on;
            at = goes_on ? members.erase(at) : std::next(at);
        }
    }
    if (!members.contains(tid)) {
        return {};
    }
    const std::set<std::uint32_t> ahead = reached(members, tid);
    const Members all = members;
    std::erase_if(members, [&](const auto& entry) {
        return !ahead.contains(entry.first) || !reached(all, entry.first).contains(tid);
    });
    // What waits to read its own data has a finding of its own (held_ends).
    const bool alone = members.size() == 1 && !members.begin()->second.wait->output;
    return alone ? Members{} : members;
}

HeldBy held_by(const WaitGraph& graph, const Member& member)
{
    return graph.held_by(*member.pipe, member.wait->output, member.wait->end_ns);
}

/// "101 (child) was blocked writing pipe 7, of which only 100 (parent) holds the read
/// end, since 0.1 s into the trace"
std::string describe(const WaitGraph& graph, const Member& member)
{
    const HeldBy held = held_by(graph, member);
    const LongWait& wait = *member.wait;
    std::string text = fmt::format(
        "{} was blocked {} {}, of which only {} hold{} the {} end, ", waiter(graph, wait),
        wait.output ? "writing" : "reading", which(*member.pipe), holders_of(wait, held),
        held.ends.size() == 1 ? "s" : "", wait.output ? "read" : "write");
    return text + (wait.before_trace ? "since before the trace"
                                     : fmt::format("since {} into the trace",
                                                   into_trace(graph, wait.start_ns)));
}

std::string ended(const WaitGraph& graph, const LongWait& first, std::uint64_t lasted_ns,
                  bool before_trace)
{
    const std::string lasted = (before_trace ? "at least " : "") + time(lasted_ns);
    if (first.ended == Ended::unfinished) {
        return fmt::format("It had lasted {} when the trace ended.", lasted);
    }
    if (const unsigned signal = killed_by(graph, first); signal != 0) {
        return fmt::format("It lasted {}, until {} ended {}.", lasted,
                           decode::signal_name(signal), who(first.process));
    }
    return fmt::format("It lasted {}, until a signal broke off the call of {}.", lasted,
                       who(first.process));
}

Finding deadlock(WaitGraph& graph, const LongWait& first, const Members& members)
{
    std::string text = "Deadlock: ";
    std::string breaks;
    bool before_trace = false;
    std::uint64_t began_ns = 0;
    Finding made = finding(Code::deadlock, "");
    for (const auto& [tid, member] : members) {
        text += (made.subjects.empty() ? "" : "; ") + describe(graph, member);
        breaks += fmt::format("{}{} {} {}{}", breaks.empty() ? "" : "; or ",
                              holders_of(*member.wait, held_by(graph, member)),
                              member.wait->output ? "reads" : "writes", which(*member.pipe),
                              member.wait->output ? "" : " or closes it");
        before_trace |= member.wait->before_trace;
        began_ns = std::max(began_ns, member.wait->start_ns);
        made.subjects.push_back({member.wait->process, "member"});
        made.objects.push_back(object_of(*member.pipe));
        graph.explain(*member.wait);
        graph.accuse(member.wait->process.tgid);
    }
    made.at_ns = began_ns;
    made.duration_ns = since(first.end_ns, began_ns);
    made.text = text + ". " + ended(graph, first, made.duration_ns, before_trace);
    made.advice = members.size() > 1
        ? fmt::format("What would end it: {}.", breaks)
        : "Start the reader before more is written than the pipe holds.";
    made.evidence = {{"members", std::uint64_t{members.size()}}, {"lasted_ns", made.duration_ns}};
    return made;
}

}  // namespace

void find_deadlocks(WaitGraph& graph, Findings& findings)
{
    // The first of a circle whose wait ends was not woken by another of it.
    std::vector<const LongWait*> broken_off;
    for (const LongWait& wait : graph.waits()) {
        if ((wait.ended == Ended::unfinished || wait.ended == Ended::signal) &&
            since(wait.end_ns, wait.start_ns) >= kThresholds.deadlock_ns) {
            broken_off.push_back(&wait);
        }
    }
    // Those that signals broke off are each looked at, so only the longest.
    std::ranges::stable_sort(broken_off, std::ranges::greater{}, [](const LongWait* wait) {
        return std::pair(wait->ended == Ended::unfinished, wait->length_ns());
    });
    std::size_t kept = 0;
    std::erase_if(broken_off, [&](const LongWait* wait) {
        return wait->ended == Ended::signal && ++kept > kMostBrokenOff;
    });
    std::ranges::stable_sort(broken_off, {}, &LongWait::end_ns);
    std::map<std::uint64_t, Members> at;   // of all that the trace's end broke off, once
    for (const LongWait* wait : broken_off) {
        if (graph.explained(*wait)) {
            continue;
        }
        auto found = at.find(wait->end_ns);
        if (found == at.end()) {
            found = at.emplace(wait->end_ns, waiting_at(graph, wait->end_ns)).first;
        }
        const Members members = circle(found->second, wait->waiter.tid);
        if (!members.empty()) {
            findings.push_back(deadlock(graph, *wait, members));
        }
    }
}

}  // namespace ipcscope::diagnose
