// SPDX-License-Identifier: GPL-2.0-only
// Which process do the others that use a futex wait for?
#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using Edges = std::vector<const Blame::Edge*>;

constexpr std::size_t kNamedWaits = 3;

/// A process and a time.
struct Share {
    Pid pid = 0;
    std::uint64_t ns = 0;
};

/// By that process of each edge, the longest first.
std::vector<Share> sums(const Edges& edges, Pid Blame::Edge::* whose)
{
    std::map<Pid, std::uint64_t> by;
    for (const Blame::Edge* edge : edges) {
        by[edge->*whose] += edge->ns;
    }
    std::vector<Share> out;
    for (const auto& [pid, ns] : by) {
        out.push_back({pid, ns});
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &Share::ns);
    return out;
}

/// For how long others waited for each process, and it for none.  A wait that it ended belongs
/// to who it waited for itself meanwhile.
std::vector<Share> held_up(const WaitGraph& graph, const Edges& edges)
{
    std::vector<Share> out = sums(edges, &Blame::Edge::holder);
    for (Share& share : out) {
        share.ns = std::min(share.ns, graph.alone_ns(share.pid));
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &Share::ns);
    return out;
}

/// Who waited on it for long enough, but for that one.
std::vector<Share> waiters(const Edges& edges, Pid but)
{
    std::vector<Share> out = sums(edges, &Blame::Edge::waiter);
    std::erase_if(out, [&](const Share& share) {
        return share.pid == but || share.ns < kThresholds.stage_wait_ns;
    });
    return out;
}

/// The first of `held` did for a good part of the futex's time, and much longer than any other,
/// of those that waited on whatever.
bool is_slow(const WaitGraph& graph, const std::vector<Share>& held,
             const std::vector<Share>& waits, std::uint64_t span_ns)
{
    const Thresholds& t = kThresholds;
    const Share& slow = held.front();
    std::uint64_t second_ns = held.size() > 1 ? held[1].ns : 0;
    for (const Share& wait : waits) {
        second_ns = std::max(second_ns, graph.alone_ns(wait.pid));
    }
    return !waits.empty() && slow.ns >= t.slow_stage_ns &&
           at_least(slow.ns, span_ns, t.slow_stage_percent, 100) &&
           at_least(slow.ns, second_ns, t.slow_stage_lead_percent, 100);
}

decode::Task task_of(const ChannelRow& channel, Pid pid)
{
    for (const auto* ends : {&channel.readers, &channel.writers}) {
        const auto found = std::ranges::find_if(
            *ends, [&](const ChannelEnd& end) { return end.task.tgid == pid; });
        if (found != ends->end()) {
            return found->task;
        }
    }
    return {pid, 0, {}};   // one of too many
}

/// "13 (b) 1.20 s, 14 (c) 1.19 s and 2 more"
std::string shares(const ChannelRow& channel, const std::vector<Share>& waits)
{
    std::string text;
    const std::size_t named = std::min(waits.size(), kNamedWaits);
    for (std::size_t at = 0; at < named; ++at) {
        text += fmt::format("{}{} {}", at == 0 ? "" : ", ", who(task_of(channel, waits[at].pid)),
                            time(waits[at].ns));
    }
    return waits.size() == named ? text
                                 : fmt::format("{} and {} more", text, waits.size() - named);
}

Finding convoy(const WaitGraph& graph, const ChannelRow& channel, const Share& slow,
               const std::vector<Share>& waits)
{
    const decode::Task task = task_of(channel, slow.pid);
    const std::uint64_t span_ns = since(channel.last_ns, channel.first_ns);
    const bool one = waits.size() == 1;
    Finding made = finding(
        Code::convoy,
        fmt::format("Waits on {}: {}. For {} of {} {} waited until {}, which itself waited for none "
                    "meanwhile, woke {}.",
                    which(channel), shares(channel, waits), time(slow.ns), time(span_ns),
                    one ? "it" : "they", who(task), one ? "it" : "one of them"));
    const aggregate::ProcessRow* process = graph.process(slow.pid);
    if (const std::string where = process ? where_time_went(process->time) : ""; !where.empty()) {
        made.text += fmt::format(" {} itself, in {}: {}.", who(task), time(process->time.span_ns),
                                 where);
    }
    made.advice = fmt::format("Look at what it does before it wakes {}; of a lock, hold it for "
                              "less.", one ? "it" : "them");
    if (one) {
        made.severity = Severity::note;   // its partner may have nothing to do
    }
    made.subjects.push_back({task, "waker"});
    for (const Share& wait : waits) {
        made.subjects.push_back({task_of(channel, wait.pid), "waiter"});
    }
    made.objects.push_back(object_of(channel));
    made.at_ns = channel.first_ns;
    made.duration_ns = slow.ns;
    made.evidence = {{"held_up_ns", slow.ns}, {"span_ns", span_ns}};
    return made;
}

}  // namespace

void find_convoys(const WaitGraph& graph, const Blame& blame, Findings& findings)
{
    std::map<const ChannelRow*, Edges> futexes;
    for (const Blame::Edge& edge : blame.edges) {
        if (edge.channel->type == decode::ObjectType::futex && edge.waiter != edge.holder) {
            futexes[edge.channel].push_back(&edge);
        }
    }
    for (const auto& [channel, edges] : futexes) {
        const std::vector<Share> held = held_up(graph, edges);
        const Share& slow = held.front();
        const std::vector<Share> waits = waiters(edges, slow.pid);
        if (is_slow(graph, held, waits, since(channel->last_ns, channel->first_ns)) &&
            !graph.accused(slow.pid)) {
            findings.push_back(convoy(graph, *channel, slow, waits));
        }
    }
}

}  // namespace ipcscope::diagnose
