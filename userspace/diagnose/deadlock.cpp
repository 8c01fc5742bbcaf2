// SPDX-License-Identifier: GPL-2.0-only
// Which processes wait for each other in a circle?
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using Ended = LongWait::Ended;

constexpr std::size_t kMostBrokenOff = 256;

/// Sleeps that end together have records that differ by this.
constexpr std::uint64_t kLate_ns = 20'000'000;

/// A thread in the circle: its wait, and the threads that alone can end it.
struct Member {
    const LongWait* wait = nullptr;      ///< nullptr: for one of its children
    const ChannelRow* channel = nullptr;
    std::set<std::uint32_t> waits_for;   ///< 0: some thread of which nothing is known
    bool others_may = false;             ///< or another thread of theirs, that has not yet
};
using Members = std::map<std::uint32_t, Member>;   ///< by thread

/// The thread that uses the end: the only one that did, or that there is; 0: not known.
std::uint32_t user_of(const WaitGraph& graph, const ChannelEnd& end)
{
    return graph.threads(end.task.tgid) == 1 ? end.task.tgid : end.only_tid;
}

/// The thread of a process that has one; 0: it has several, or nothing is known of it.
std::uint32_t only_thread(const WaitGraph& graph, Pid pid)
{
    return graph.threads(pid) == 1 ? pid : 0;
}

/// A process that sleeps in wait4() waits for its children, as a shell does that holds copies
/// of the ends of its commands' pipes: for which of them is not recorded, so for any.
void add_parents(const WaitGraph& graph, Members& members, std::uint64_t time_ns)
{
    std::vector<std::uint32_t> open;
    if (!graph.report().host.filters.empty()) {
        return;   // it may have children outside the trace
    }
    for (const auto& [tid, member] : members) {
        open.insert(open.end(), member.waits_for.begin(), member.waits_for.end());
    }
    while (!open.empty()) {
        const std::uint32_t pid = open.back();   // of a process with one thread
        open.pop_back();
        const auto* sleep = members.contains(pid)
            ? nullptr
            : graph.asleep(pid, since(time_ns, kThresholds.deadlock_ns), since(time_ns, kLate_ns));
        if (sleep == nullptr || sleep->in != aggregate::SleepRow::In::wait) {
            continue;
        }
        Member parent;
        for (const Pid child : graph.children(pid, time_ns)) {
            parent.waits_for.insert(only_thread(graph, child));
        }
        if (!parent.waits_for.empty()) {
            open.insert(open.end(), parent.waits_for.begin(), parent.waits_for.end());
            members.emplace(pid, std::move(parent));
        }
    }
}

/// All that waited at that time, with those for whom they waited.
Members waiting_at(const WaitGraph& graph, std::uint64_t time_ns)
{
    Members members;
    for (const LongWait& wait : graph.waits()) {
        const ChannelRow* channel = graph.channel(wait.channel);
        if (channel == nullptr || wait.start_ns >= time_ns || wait.end_ns < time_ns) {
            continue;
        }
        const HeldBy held = graph.held_by(*channel, wait.output, time_ns);
        if (!held.known) {
            continue;
        }
        Member member{&wait, channel, {}};
        for (const ChannelEnd* end : held.ends) {
            member.waits_for.insert(user_of(graph, *end));
            member.others_may |= graph.threads(end->task.tgid) > 1 &&
                                 !aggregate::channel_kind(channel->type).owned;
        }
        members.emplace(wait.waiter.tid, std::move(member));
    }
    add_parents(graph, members, time_ns);
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

/// What waits to read its own data has a finding of its own (held_ends).  What one process
/// reads and its waiting parent holds may be a FIFO or queue: any may open it, and write.
bool is_deadlock(const Members& members)
{
    const auto waits = [](const auto& entry) { return entry.second.wait != nullptr; };
    const auto one = std::ranges::find_if(members, waits);
    if (one == members.end()) {
        return false;
    }
    const bool input = std::ranges::none_of(members, [&](const auto& entry) {
        return waits(entry) && entry.second.wait->output;
    });
    if (input && std::ranges::any_of(members, [](const auto& entry) { return entry.second.others_may; })) {
        return false;   // all is read that was written: the next request may be another thread's
    }
    const bool reads = input && std::ranges::count_if(members, waits) == 1;
    return !reads ||
           (members.size() > 1 && one->second.channel->type == decode::ObjectType::pipe);
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
    return is_deadlock(members) ? members : Members{};
}

HeldBy held_by(const WaitGraph& graph, const Member& member, std::uint64_t time_ns)
{
    return graph.held_by(*member.channel, member.wait->output, time_ns);
}

/// "101 (child) was blocked writing pipe 7, of which only 100 (parent) holds the read
/// end, since 0.1 s into the trace"
std::string describe(const WaitGraph& graph, const Member& member, const HeldBy& held)
{
    const LongWait& wait = *member.wait;
    const aggregate::ChannelRow& channel = *member.channel;
    std::string text = fmt::format("{} was blocked {} {}, {}, ", waiter(graph, wait),
                                   words(channel).side(wait.output).doing, which(channel),
                                   held_words(channel, wait, held));
    return text + (wait.before_trace ? "since before the trace"
                                     : fmt::format("since {} into the trace",
                                                   into_trace(graph, wait.start_ns)));
}

/// " 7 (bash) waits in wait4() for one of them to exit."
std::string parents_text(const WaitGraph& graph, const Members& members)
{
    std::string text;
    for (const auto& [tid, member] : members) {
        if (member.wait == nullptr) {
            text += fmt::format(" {} waits in wait4() for {} to exit.",
                                who(graph.process(tid)->task),
                                member.waits_for.size() > 1
                                    ? "a child"
                                    : who(graph.process(*member.waits_for.begin())->task));
        }
    }
    return text;
}

/// "10 (a) writes pipe 7 or closes it"; of several holders all have to close it.
std::string what_breaks(const Member& member, const HeldBy& held)
{
    const bool several = held.ends.size() > 1;
    const ChannelWords& word = words(*member.channel);
    const std::string does = fmt::format("{}{} {} {}", several ? "one of " : "",
                                         holders_of(*member.wait, held),
                                         word.side(!member.wait->output).does,
                                         which(*member.channel));
    return member.wait->output || !word.closes
        ? does : does + (several ? " or all close it" : " or closes it");
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
    return fmt::format("It lasted {}, until {} broke off the call of {}.", lasted,
                       first.ended == Ended::timeout ? "a timeout" : "a signal",
                       who(first.process));
}

Finding deadlock(WaitGraph& graph, const LongWait& first, const Members& members)
{
    std::string text = "Deadlock: ";
    std::string breaks;
    bool before_trace = false;
    std::uint64_t began_ns = 0;
    std::vector<Subject> parents;
    Finding made = finding(Code::deadlock, "");
    for (const auto& [tid, member] : members) {
        if (member.wait == nullptr) {
            parents.push_back({graph.process(tid)->task, "parent"});
            continue;
        }
        const HeldBy held = held_by(graph, member, first.end_ns);
        text += (made.subjects.empty() ? "" : "; ") + describe(graph, member, held);
        breaks += (breaks.empty() ? "" : "; or ") + what_breaks(member, held);
        before_trace |= member.wait->before_trace;
        began_ns = std::max(began_ns, member.wait->start_ns);
        made.subjects.push_back({member.wait->process, "member"});
        made.objects.push_back(object_of(*member.channel));
        graph.explain(*member.wait);
        graph.accuse(member.wait->process.tgid);
    }
    made.subjects.insert(made.subjects.end(), parents.begin(), parents.end());
    made.at_ns = began_ns;
    made.duration_ns = since(first.end_ns, began_ns);
    made.text = text + "." + parents_text(graph, members) + " " +
                ended(graph, first, made.duration_ns, before_trace);
    made.advice = members.size() > 1
        ? fmt::format("What would end it: {}.", breaks)
        : first.output ? fmt::format("Start the reader before more is written than the {} holds.",
                                     words(*members.begin()->second.channel).noun)
                       : "";
    made.evidence = {{"members", std::uint64_t{members.size()}}, {"lasted_ns", made.duration_ns}};
    return made;
}

}  // namespace

void find_deadlocks(WaitGraph& graph, Findings& findings)
{
    // The first of a circle whose wait ends was not woken by another of it.
    std::vector<const LongWait*> broken_off;
    for (const LongWait& wait : graph.waits()) {
        if ((wait.ended == Ended::unfinished || wait.is_broken_off()) &&
            since(wait.end_ns, wait.start_ns) >= kThresholds.deadlock_ns) {
            broken_off.push_back(&wait);
        }
    }
    // Those that were broken off are each looked at, so only the longest.
    std::ranges::stable_sort(broken_off, std::ranges::greater{}, [](const LongWait* wait) {
        return std::pair(wait->ended == Ended::unfinished, wait->length_ns());
    });
    std::size_t kept = 0;
    std::erase_if(broken_off, [&](const LongWait* wait) {
        return wait->is_broken_off() && ++kept > kMostBrokenOff;
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
