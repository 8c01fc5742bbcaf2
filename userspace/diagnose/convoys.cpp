// SPDX-License-Identifier: GPL-2.0-only
// Which of those that use a futex, or a semaphore as a mutex, do the others wait for?
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
using aggregate::WaitRow;

constexpr std::size_t kNamedWaits = 3;

/// A process; of a private futex a thread.
using Party = std::uint32_t;

/// For how long one waited for another.
struct Edge {
    Party waiter = 0;
    Party holder = 0;
    std::uint64_t ns = 0;
};
using Edges = std::vector<Edge>;

/// Those that use one futex.
struct Parties {
    const WaitGraph& graph;
    const ChannelRow& channel;
    Edges edges{};
    std::map<Party, decode::Task> threads{};   ///< of a private one

    bool are_threads() const { return channel.type == decode::ObjectType::futex_private; }
    /// In which others waited for it, and it for none.
    std::uint64_t alone_ns(Party party) const
    {
        return are_threads() ? graph.thread_alone_ns(party) : graph.alone_ns(party);
    }
    decode::Task task(Party party) const;
    std::string name(Party party) const
    {
        const decode::Task found = task(party);
        return are_threads() ? thread_who(found) : who(found);
    }
    std::uint64_t span_ns() const { return since(channel.last_ns, channel.first_ns); }
};

/// And a time.
struct Share {
    Party party = 0;
    std::uint64_t ns = 0;
};

/// By that one of each edge, the longest first.
std::vector<Share> sums(const Edges& edges, Party Edge::* whose)
{
    std::map<Party, std::uint64_t> by;
    for (const Edge& edge : edges) {
        by[edge.*whose] += edge.ns;
    }
    std::vector<Share> out;
    for (const auto& [party, ns] : by) {
        out.push_back({party, ns});
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &Share::ns);
    return out;
}

/// For how long others waited for each, and it for none.  A wait that it ended belongs to who
/// it waited for itself meanwhile.
std::vector<Share> held_up(const Parties& parties)
{
    std::vector<Share> out = sums(parties.edges, &Edge::holder);
    for (Share& share : out) {
        share.ns = std::min(share.ns, parties.alone_ns(share.party));
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &Share::ns);
    return out;
}

/// Who waited on it for long enough, but for that one.
std::vector<Share> waiters(const Edges& edges, Party but)
{
    std::vector<Share> out = sums(edges, &Edge::waiter);
    std::erase_if(out, [&](const Share& share) {
        return share.party == but || share.ns < kThresholds.stage_wait_ns;
    });
    return out;
}

/// The first of `held` did for a good part of the futex's time, and much longer than any other,
/// of those that waited on whatever.
bool is_slow(const Parties& parties, const std::vector<Share>& held,
             const std::vector<Share>& waits)
{
    const Thresholds& t = kThresholds;
    const Share& slow = held.front();
    std::uint64_t second_ns = held.size() > 1 ? held[1].ns : 0;
    for (const Share& wait : waits) {
        second_ns = std::max(second_ns, parties.alone_ns(wait.party));
    }
    return !waits.empty() && slow.ns >= t.slow_stage_ns &&
           at_least(slow.ns, parties.span_ns(), t.slow_stage_percent, 100) &&
           at_least(slow.ns, second_ns, t.slow_stage_lead_percent, 100);
}

/// One of them has ended a wait of another: what they wait for they give back, as a lock.
bool give_back(const Parties& parties, const std::vector<Share>& waits)
{
    return std::ranges::any_of(waits, [&](const Share& wait) {
        return std::ranges::find(parties.edges, wait.party, &Edge::holder) !=
               parties.edges.end();
    });
}

decode::Task Parties::task(Party party) const
{
    if (const auto thread = threads.find(party); thread != threads.end()) {
        return thread->second;
    }
    for (const auto* ends : {&channel.readers, &channel.writers}) {
        const auto found = std::ranges::find_if(
            *ends, [&](const ChannelEnd& end) { return end.task.tgid == party; });
        if (found != ends->end()) {
            return found->task;
        }
    }
    return {party, 0, {}};   // one of too many
}

/// "13 (b) 1.20 s, 14 (c) 1.19 s and 2 more"
std::string shares(const Parties& parties, const std::vector<Share>& waits)
{
    std::string text;
    const std::size_t named = std::min(waits.size(), kNamedWaits);
    for (std::size_t at = 0; at < named; ++at) {
        text += fmt::format("{}{} {}", at == 0 ? "" : ", ", parties.name(waits[at].party), time(waits[at].ns));
    }
    return waits.size() == named ? text
                                 : fmt::format("{} and {} more", text, waits.size() - named);
}

/// Where the time of the slow process went; of a thread there are no sums.
std::string own_time(const Parties& parties, Party slow)
{
    const aggregate::ProcessRow* process =
        parties.are_threads() ? nullptr : parties.graph.process(slow);
    const std::string where = process ? where_time_went(process->time) : "";
    return where.empty() ? where
                         : fmt::format(" {} itself, in {}: {}.", parties.name(slow),
                                       time(process->time.span_ns), where);
}

Finding convoy(const Parties& parties, const Share& slow, const std::vector<Share>& waits)
{
    const bool one = waits.size() == 1;
    Finding made = finding(
        Code::convoy,
        fmt::format("Waits on {}: {}. For {} of {} {} waited for {}, which itself waited for none "
                    "meanwhile, to wake {}.",
                    which(parties.channel), shares(parties, waits), time(slow.ns),
                    time(parties.span_ns()), one ? "it" : "they", parties.name(slow.party),
                    one ? "it" : "one of them"));
    made.text += own_time(parties, slow.party);
    made.advice = fmt::format("Look at what it does before it wakes {}; of a lock, hold it for "
                              "less.", one ? "it" : "them");
    if (one || !give_back(parties, waits)) {
        made.severity = Severity::note;   // who wakes them may have nothing for them to do
    }
    made.subjects.push_back({parties.task(slow.party), "waker"});
    for (const Share& wait : waits) {
        made.subjects.push_back({parties.task(wait.party), "waiter"});
    }
    made.objects.push_back(object_of(parties.channel));
    made.at_ns = parties.channel.first_ns;
    made.duration_ns = slow.ns;
    made.evidence = {{"held_up_ns", slow.ns}, {"span_ns", parties.span_ns()}};
    return made;
}

using Futexes = std::map<const ChannelRow*, Parties>;

Parties& parties_of(Futexes& futexes, const WaitGraph& graph, const ChannelRow& channel)
{
    return futexes.try_emplace(&channel, Parties{graph, channel}).first->second;
}

/// Threads of one process wait for each other on its private futexes.
void add_threads(const WaitGraph& graph, Futexes& futexes)
{
    for (const WaitRow& row : graph.report().waits) {
        const ChannelRow* channel = graph.channel(row.channel);
        if (channel == nullptr || channel->type != decode::ObjectType::futex_private ||
            row.waker.tid == 0 || row.waker.tid == row.waiter.tid ||
            row.waker.tgid != row.waiter.tgid) {
            continue;
        }
        Parties& parties = parties_of(futexes, graph, *channel);
        parties.edges.push_back({row.waiter.tid, row.waker.tid, row.total_ns});
        parties.threads.emplace(row.waiter.tid, row.waiter);
        parties.threads.emplace(row.waker.tid, row.waker);
    }
}

}  // namespace

void find_convoys(const WaitGraph& graph, const Blame& blame, Findings& findings)
{
    Futexes futexes;
    for (const Blame::Edge& edge : blame.edges) {
        const ChannelRow& channel = *edge.channel;
        const bool lock = channel.type == decode::ObjectType::futex ||
                          (channel.type == decode::ObjectType::sysv_sem && channel.mutex);
        if (lock && edge.waiter != edge.holder) {
            parties_of(futexes, graph, *edge.channel)
                .edges.push_back({edge.waiter, edge.holder, edge.ns});
        }
    }
    add_threads(graph, futexes);
    for (const auto& [channel, parties] : futexes) {
        const std::vector<Share> held = held_up(parties);
        const Share& slow = held.front();
        const std::vector<Share> waits = waiters(parties.edges, slow.party);
        const bool accused = !parties.are_threads() && graph.accused(slow.party);
        if (!accused && is_slow(parties, held, waits)) {
            findings.push_back(convoy(parties, slow, waits));
        }
    }
}

}  // namespace ipcscope::diagnose
