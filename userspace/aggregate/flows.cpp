// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/flows.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace ipcscope::aggregate {
namespace {

using Pid = std::uint32_t;
using Pids = std::set<Pid>;

constexpr int kMostAncestors = 16;
constexpr std::size_t kMostParts = 1024;   ///< of all pipes: each is a pipeline of its own

/// Those that call read or write at that end.
Pids callers(const std::vector<ChannelEnd>& ends)
{
    Pids pids;
    for (const ChannelEnd& end : ends) {
        if (!end.holds_only) {
            pids.insert(end.task.tgid);
        }
    }
    return pids;
}

std::vector<Pid> without(const Pids& all, const Pids& out)
{
    std::vector<Pid> left;
    std::ranges::set_difference(all, out, std::back_inserter(left));
    return left;
}

/// Processes of which each lived together with another of them, one after the other.
struct Cohort {
    std::vector<Pid> pids;
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = UINT64_MAX;
};

struct Side {
    std::vector<Cohort> cohorts;   ///< by time
    std::vector<Pid> launchers;    ///< made others of the side: a shell
};

class Finder {
public:
    Finder(const std::vector<ChannelRow>& channels, const std::vector<LifeRow>& lives) : lives_(lives)
    {
        for (const ChannelRow& channel : channels) {
            for (const auto* ends : {&channel.readers, &channel.writers}) {
                for (const Pid pid : callers(*ends)) {
                    ++pipes_of_[pid];
                }
            }
        }
    }

    void add(const ChannelRow& channel)
    {
        const Pids readers = callers(channel.readers), writers = callers(channel.writers);
        Pids both;
        std::ranges::set_intersection(readers, writers, std::inserter(both, both.end()));
        if (both.empty()) {
            const Side from = side(writers), to = side(readers);
            const bool several = from.cohorts.size() > 1 || to.cohorts.size() > 1;
            if (several && parts_ + from.cohorts.size() + to.cohorts.size() <= kMostParts) {
                add_parts(channel, from, to);
                return;
            }
        }
        // Two that both read and write one channel pass tokens (make's job server): no order,
        // so no stages.
        add(flow(channel, without(writers, both), {readers.begin(), readers.end()}));
        add(flow(channel, {both.begin(), both.end()}, without(readers, both)));
    }

    std::vector<Flow> take() { return std::move(flows_); }

private:
    static Flow flow(const ChannelRow& channel, std::vector<Pid> from, std::vector<Pid> to)
    {
        Flow made;
        made.channel = channel.object;
        made.from = std::move(from);
        made.to = std::move(to);
        return made;
    }

    void add(Flow flow)
    {
        if (!flow.from.empty() && !flow.to.empty()) {
            parts_ += flow.part ? 1 : 0;
            flows_.push_back(std::move(flow));
        }
    }

    const LifeRow* life(Pid pid) const
    {
        const auto found = std::ranges::lower_bound(
            lives_, pid, {}, [](const LifeRow& row) { return row.process.tgid; });
        return found == lives_.end() || found->process.tgid != pid ? nullptr : &*found;
    }

    Pids launchers(const Pids& pids) const
    {
        Pids found;
        for (const Pid pid : pids) {
            const LifeRow* row = life(pid);
            for (int up = 0; row != nullptr && row->ppid != 0 && up < kMostAncestors; ++up) {
                if (pids.contains(row->ppid)) {
                    found.insert(row->ppid);
                }
                row = life(row->ppid);
            }
        }
        return found;
    }

    Side side(const Pids& pids) const
    {
        const Pids made_others = launchers(pids);
        Side side;
        side.launchers = {made_others.begin(), made_others.end()};
        std::vector<Cohort> all;
        for (const Pid pid : without(pids, made_others)) {
            const LifeRow* row = life(pid);
            all.push_back({{pid},
                           row != nullptr ? row->born_ns : 0,
                           row != nullptr && row->exit_ns != 0 ? row->exit_ns : UINT64_MAX});
        }
        std::ranges::stable_sort(all, {}, &Cohort::start_ns);
        for (Cohort& one : all) {
            if (side.cohorts.empty() || side.cohorts.back().end_ns <= one.start_ns) {
                side.cohorts.push_back(std::move(one));
                continue;
            }
            Cohort& last = side.cohorts.back();
            last.pids.push_back(one.pids.front());
            last.end_ns = std::max(last.end_ns, one.end_ns);
        }
        return side;
    }

    /// It is a stage between this pipe and another one.
    bool leads_on(const Cohort& cohort) const
    {
        return std::ranges::any_of(cohort.pids,
                                   [&](Pid pid) { return pipes_of_.at(pid) > 1; });
    }

    void add_part(const ChannelRow& channel, const Cohort& from, const Cohort& to)
    {
        Flow made = flow(channel, from.pids, to.pids);
        made.part = true;
        made.start_ns = std::max(from.start_ns, to.start_ns);
        made.end_ns = std::min(from.end_ns, to.end_ns);
        if (made.start_ns >= made.end_ns) {   // it left what the next ones read
            made.start_ns = std::min(from.start_ns, to.start_ns);
            made.end_ns = std::max(from.end_ns, to.end_ns);
        }
        add(std::move(made));
    }

    /// Where one side is there for all of the other's, those that lead nowhere else stay
    /// together: a pipeline for each command that writes to a log says nothing.
    void add_parts(const ChannelRow& channel, const Side& from, const Side& to)
    {
        const bool both = from.cohorts.size() > 1 && to.cohorts.size() > 1;
        Flow rest = flow(channel, from.launchers, to.launchers);
        rest.part = true;
        for (const auto& [writer, reader] : together(from.cohorts, to.cohorts)) {
            const Cohort& many = from.cohorts.size() > 1 ? *writer : *reader;
            if (both || leads_on(many)) {
                add_part(channel, *writer, *reader);
            } else {
                auto& left = from.cohorts.size() > 1 ? rest.from : rest.to;
                left.insert(left.end(), many.pids.begin(), many.pids.end());
            }
        }
        add_rest(std::move(rest), from, to);
    }

    /// Those that were there at the same time.  What one left in the pipe as it ended is for
    /// the readers that come next.
    static std::vector<std::pair<const Cohort*, const Cohort*>>
    together(const std::vector<Cohort>& from, const std::vector<Cohort>& to)
    {
        std::vector<std::pair<const Cohort*, const Cohort*>> pairs;
        std::size_t first = 0;   // of the readers, that is not gone before the writer comes
        for (const Cohort& writer : from) {
            while (first < to.size() && to[first].end_ns <= writer.start_ns) {
                ++first;
            }
            for (std::size_t at = first; at < to.size(); ++at) {
                const bool later = at != first && to[at].start_ns >= writer.end_ns;
                if (later && &writer != &from.back()) {
                    break;
                }
                pairs.emplace_back(&writer, &to[at]);
            }
        }
        return pairs;
    }

    void add_rest(Flow rest, const Side& from, const Side& to)
    {
        if (rest.from.empty() && rest.to.empty()) {
            return;
        }
        const auto fill = [](std::vector<Pid>& pids, const Side& side) {
            if (pids.empty()) {
                for (const Cohort& cohort : side.cohorts) {
                    pids.insert(pids.end(), cohort.pids.begin(), cohort.pids.end());
                }
            }
        };
        fill(rest.from, from);
        fill(rest.to, to);
        add(std::move(rest));
    }

    const std::vector<LifeRow>& lives_;
    std::map<Pid, unsigned> pipes_of_;
    std::vector<Flow> flows_;
    std::size_t parts_ = 0;
};

}  // namespace

std::vector<Flow> find_flows(const std::vector<ChannelRow>& channels,
                             const std::vector<LifeRow>& lives)
{
    Finder finder(channels, lives);
    for (const ChannelRow& channel : channels) {
        if (channel_kind(channel.type).flows) {
            finder.add(channel);
        }
    }
    return finder.take();
}

}  // namespace ipcscope::aggregate
