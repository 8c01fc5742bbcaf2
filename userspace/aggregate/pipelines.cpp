// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/pipelines.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace ipcscope::aggregate {
namespace {

using Pid = std::uint32_t;

/// Who writes to whom, by one pipe: all of `from` to all of `to`.
struct Flow {
    std::uint64_t inode = 0;
    std::vector<Pid> from;
    std::vector<Pid> to;
};

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
        if (flow.from.empty() || flow.to.empty()) {
            return;
        }
        for (const Pid pid : flow.from) {
            nodes[pid].outputs.push_back(flows.size());
        }
        for (const Pid pid : flow.to) {
            nodes[pid].inputs.push_back(flows.size());
        }
        flows.push_back(std::move(flow));
    }
};

/// Those that call read or write at that end.
std::set<Pid> callers(const std::vector<PipeEndRow>& ends)
{
    std::set<Pid> pids;
    for (const PipeEndRow& end : ends) {
        if (!end.holds_only) {
            pids.insert(end.task.tgid);
        }
    }
    return pids;
}

std::vector<Pid> without(const std::set<Pid>& all, const std::set<Pid>& out)
{
    std::vector<Pid> left;
    std::ranges::set_difference(all, out, std::back_inserter(left));
    return left;
}

/// Two that both read and write one pipe pass tokens (make's job server): no
/// order, so no stages.
void add_pipe(Graph& graph, const PipeRow& pipe)
{
    const std::set<Pid> readers = callers(pipe.readers), writers = callers(pipe.writers);
    std::set<Pid> both;
    std::ranges::set_intersection(readers, writers, std::inserter(both, both.end()));
    graph.add({pipe.inode, without(writers, both), {readers.begin(), readers.end()}});
    graph.add({pipe.inode, {both.begin(), both.end()}, without(readers, both)});
}

std::set<Pid> component_of(const Graph& graph, Pid start)
{
    std::set<Pid> found{start};
    std::set<std::size_t> seen;
    std::vector<Pid> open{start};
    while (!open.empty()) {
        const Node& node = graph.nodes.at(open.back());
        open.pop_back();
        for (const auto* flows : {&node.inputs, &node.outputs})
            for (const std::size_t flow : *flows)
                if (seen.insert(flow).second)
                    for (const auto* side : {&graph.flows[flow].from, &graph.flows[flow].to})
                        for (const Pid next : *side)
                            if (found.insert(next).second) open.push_back(next);
    }
    return found;
}

/// Ranks, upstream first; a cycle is cut before its smallest pid.
std::map<Pid, unsigned> ranks_of(const Graph& graph, std::set<Pid> left)
{
    struct Placed {
        std::size_t writers = 0;
        unsigned rank = 0;   ///< of a reader of them
    };
    std::map<std::size_t, Placed> placed;         ///< by flow
    std::map<Pid, std::size_t> waits_for;         ///< flows, of whose writers not all are placed
    std::set<Pid> ready;
    for (const Pid pid : left) {
        waits_for[pid] = graph.nodes.at(pid).inputs.size();
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
        found.insert(graph.flows[flow].inode);
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

}  // namespace

std::vector<Pipeline> find_pipelines(const std::vector<PipeRow>& pipes,
                                     const StageTable& stages)
{
    Graph graph;
    for (const auto& pipe : pipes) add_pipe(graph, pipe);
    std::vector<Pipeline> out;
    std::set<Pid> done;
    for (const auto& [pid, node] : graph.nodes) {
        if (done.contains(pid)) continue;
        const auto component = component_of(graph, pid);
        done.insert(component.begin(), component.end());
        out.push_back(pipeline_of(graph, ranks_of(graph, component), stages));
    }
    return out;
}

}  // namespace ipcscope::aggregate
