// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/pipelines.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>

#include "aggregate/flows.hpp"

namespace ipcscope::aggregate {
namespace {

using Pid = std::uint32_t;

/// A process's place among the others: indices of flows.
struct Node {
    std::vector<std::size_t> inputs;
    std::vector<std::size_t> outputs;
};

/// Its size is that of the pipes' ends, not of the pairs of their users.
struct Graph {
    std::map<Pid, Node> nodes;
    std::vector<Flow> flows;

    void add(Flow flow)
    {
        for (const Pid pid : flow.from) {
            nodes[pid].outputs.push_back(flows.size());
        }
        for (const Pid pid : flow.to) {
            nodes[pid].inputs.push_back(flows.size());
        }
        flows.push_back(std::move(flow));
    }
};

/// Flows that processes join to the first one, as far as they were there with it; of the
/// parts of a pipe one.
class Component {
public:
    Component(const Graph& graph, std::size_t first) : graph_(graph), first_(graph.flows[first])
    {
        take(first);
        while (!open_.empty()) {
            const std::size_t flow = open_.back();
            open_.pop_back();
            for (const auto* side : {&graph.flows[flow].from, &graph.flows[flow].to}) {
                std::ranges::for_each(*side, [&](Pid pid) { take_all_of(pid); });
            }
        }
    }
    const std::set<std::size_t>& flows() const { return flows_; }

private:
    /// Once: what could not be taken then cannot be later.
    void take_all_of(Pid pid)
    {
        if (!processes_.insert(pid).second) {
            return;
        }
        const Node& node = graph_.nodes.at(pid);
        for (const auto* flows : {&node.inputs, &node.outputs}) {
            std::ranges::for_each(*flows, [&](std::size_t next) { take(next); });
        }
    }

    void take(std::size_t index)
    {
        const Flow& flow = graph_.flows[index];
        if (flows_.contains(index) || !flow.meets(first_) ||
            (flow.part && !channels_.insert(flow.channel).second)) {
            return;
        }
        flows_.insert(index);
        open_.push_back(index);
    }

    const Graph& graph_;
    const Flow& first_;
    std::set<std::size_t> flows_;
    std::set<ObjectId> channels_;   ///< of parts
    std::set<Pid> processes_;       ///< whose flows were looked at
    std::vector<std::size_t> open_;
};

/// Ranks, upstream first; a cycle is cut before its smallest pid.
std::map<Pid, unsigned> ranks_of(const Graph& graph)
{
    std::set<Pid> left;
    struct Placed {
        std::size_t writers = 0;
        unsigned rank = 0;   ///< of a reader of them
    };
    std::map<std::size_t, Placed> placed;         ///< by flow
    std::map<Pid, std::size_t> waits_for;         ///< flows, of whose writers not all are placed
    std::set<Pid> ready;
    for (const auto& [pid, node] : graph.nodes) {
        left.insert(pid);
        waits_for[pid] = node.inputs.size();
        if (waits_for[pid] == 0) {
            ready.insert(pid);
        }
    }
    std::map<Pid, unsigned> ranks;
    while (!left.empty()) {
        const Pid next = ready.empty() ? *left.begin() : *ready.begin();
        ready.erase(next);
        left.erase(next);
        const Node& node = graph.nodes.at(next);
        unsigned rank = 0;
        for (const std::size_t flow : node.inputs) {
            rank = std::max(rank, placed[flow].rank);
        }
        ranks[next] = rank;
        for (const std::size_t flow : node.outputs) {
            Placed& so_far = placed[flow];
            so_far.rank = std::max(so_far.rank, rank + 1);
            if (++so_far.writers < graph.flows[flow].from.size()) {
                continue;
            }
            for (const Pid down : graph.flows[flow].to) {
                if (--waits_for[down] == 0 && left.contains(down)) {
                    ready.insert(down);
                }
            }
        }
    }
    return ranks;
}

std::vector<std::uint64_t> inodes(const Graph& graph, const std::vector<std::size_t>& flows)
{
    std::set<std::uint64_t> found;
    for (const std::size_t flow : flows) {
        found.insert(graph.flows[flow].channel.object);
    }
    return {found.begin(), found.end()};
}

/// When the stages but one made calls: without it, its neighbours in time bound it.
class CallsOfOthers {
public:
    CallsOfOthers(const std::map<Pid, unsigned>& ranks, const StageTable& stages)
    {
        for (const auto& [pid, rank] : ranks) {
            if (const Window calls = stages.calls(pid); !calls.empty()) {
                starts_.emplace(calls.start_ns, pid);
                ends_.emplace(calls.end_ns, pid);
            }
        }
    }
    Window but(Pid pid) const
    {
        Window window;
        const auto other = [&](const auto& at) { return at.second != pid; };
        const auto first = std::ranges::find_if(starts_, other);
        const auto last = std::find_if(ends_.rbegin(), ends_.rend(), other);
        if (first != starts_.end() && last != ends_.rend()) {
            window.cover(first->first, last->first);
        }
        return window;
    }

private:
    std::set<std::pair<std::uint64_t, Pid>> starts_, ends_;
};

Pipeline pipeline_of(const Graph& graph, const std::map<Pid, unsigned>& ranks,
                     const StageTable& stages)
{
    Pipeline line;
    const CallsOfOthers calls(ranks, stages);
    for (const auto& [pid, rank] : ranks) {
        StageRow row = stages.row(pid, calls.but(pid));
        row.rank = rank;
        row.reads_from = inodes(graph, graph.nodes.at(pid).inputs);
        row.writes_to = inodes(graph, graph.nodes.at(pid).outputs);
        line.stages.push_back(std::move(row));
    }
    std::stable_sort(line.stages.begin(), line.stages.end(),
                     [](const auto& a, const auto& b) { return a.rank < b.rank; });
    return line;
}

/// Parts before whole pipes, which would join them; the shortest first.
std::vector<std::size_t> in_order(const std::vector<Flow>& flows)
{
    std::vector<std::size_t> order(flows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t at) {
        const Flow& flow = flows[at];
        return std::pair(!flow.part, flow.end_ns - flow.start_ns);
    });
    return order;
}

std::uint64_t span_ns(const Flow& flow)
{
    return flow.start_ns != 0 && flow.end_ns != UINT64_MAX ? flow.end_ns - flow.start_ns : 0;
}

}  // namespace

std::vector<Pipeline> find_pipelines(const std::vector<ChannelRow>& channels,
                                     const std::vector<LifeRow>& lives, const StageTable& stages)
{
    Graph graph;
    for (Flow& flow : find_flows(channels, lives)) {
        graph.add(std::move(flow));
    }
    std::vector<std::pair<std::pair<Pid, std::uint64_t>, Pipeline>> found;   // by pid, by time
    std::set<std::size_t> done;
    for (const std::size_t first : in_order(graph.flows)) {
        if (done.contains(first)) {
            continue;
        }
        Graph line;
        const Component component(graph, first);
        for (const std::size_t flow : component.flows()) {
            done.insert(flow);
            line.add(graph.flows[flow]);
        }
        Pipeline pipeline = pipeline_of(line, ranks_of(line), stages);
        pipeline.span_ns = span_ns(graph.flows[first]);
        found.emplace_back(std::pair(line.nodes.begin()->first, graph.flows[first].start_ns),
                           std::move(pipeline));
    }
    std::ranges::stable_sort(found, {}, [](const auto& entry) { return entry.first; });
    std::vector<Pipeline> out;
    for (auto& [order, pipeline] : found) {
        out.push_back(std::move(pipeline));
    }
    return out;
}

}  // namespace ipcscope::aggregate
