// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/pipelines.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace ipcscope::aggregate {
namespace {

using Pid = std::uint32_t;

// A stage is waited for when its neighbours' waiting is at least a tenth of the
// pipeline's span, and is the bottleneck when it works for at least half of its
// own and a fifth longer than any neighbour.
constexpr std::uint64_t kNotable = 10;
constexpr std::uint64_t kHalf = 2;
constexpr std::uint64_t kDominates_percent = 120;

/// A process's place among the others.
struct Node {
    std::set<Pid> upstream;
    std::set<Pid> downstream;
    std::set<std::uint64_t> reads_from;
    std::set<std::uint64_t> writes_to;
    std::uint64_t waited_for_ns = 0;   ///< by its neighbours
};
using Graph = std::map<Pid, Node>;

bool has(const std::vector<PipeEndRow>& ends, Pid pid)
{
    return std::any_of(ends.begin(), ends.end(), [&](const PipeEndRow& end) {
        return end.task.tgid == pid && !end.holds_only;
    });
}

/// Two that both read and write one pipe pass tokens (make's job server): no
/// order, so no stages.
bool joins(const PipeRow& pipe, Pid writer, Pid reader)
{
    return writer != reader && !(has(pipe.readers, writer) && has(pipe.writers, reader));
}

void add_pipe(Graph& graph, const PipeRow& pipe)
{
    for (const auto& writer : pipe.writers) {
        for (const auto& reader : pipe.readers) {
            const auto [from, to] = std::pair(writer.task.tgid, reader.task.tgid);
            if (writer.holds_only || reader.holds_only || !joins(pipe, from, to)) continue;
            graph[from].downstream.insert(to);
            graph[from].writes_to.insert(pipe.inode);
            graph[to].upstream.insert(from);
            graph[to].reads_from.insert(pipe.inode);
        }
    }
}

/// Who is blocked on a pipe waits for every process at its other end.
void add_waiting(Graph& graph, const PipeRow& pipe)
{
    for (const auto& writer : pipe.writers) {
        for (const auto& reader : pipe.readers) {
            const auto from = graph.find(writer.task.tgid);
            const auto to = graph.find(reader.task.tgid);
            if (from == graph.end() || to == graph.end() ||
                !from->second.downstream.contains(to->first) ||
                !joins(pipe, from->first, to->first))
                continue;
            to->second.waited_for_ns += writer.blocked_ns;
            from->second.waited_for_ns += reader.blocked_ns;
        }
    }
}

std::set<Pid> component_of(const Graph& graph, Pid start)
{
    std::set<Pid> found{start};
    std::vector<Pid> open{start};
    while (!open.empty()) {
        const Node& node = graph.at(open.back());
        open.pop_back();
        for (const auto* side : {&node.upstream, &node.downstream})
            for (const Pid next : *side)
                if (found.insert(next).second) open.push_back(next);
    }
    return found;
}

/// Ranks, upstream first; a cycle is cut before its smallest pid.
std::map<Pid, unsigned> ranks_of(const Graph& graph, std::set<Pid> left)
{
    std::map<Pid, unsigned> ranks;
    while (!left.empty()) {
        const auto ready = std::find_if(left.begin(), left.end(), [&](Pid pid) {
            const auto& upstream = graph.at(pid).upstream;
            return std::none_of(upstream.begin(), upstream.end(),
                                [&](Pid up) { return left.contains(up); });
        });
        const auto next = ready == left.end() ? left.begin() : ready;
        unsigned rank = 0;
        for (const Pid up : graph.at(*next).upstream) {
            const auto placed = ranks.find(up);
            if (placed != ranks.end()) rank = std::max(rank, placed->second + 1);
        }
        ranks[*next] = rank;
        left.erase(next);
    }
    return ranks;
}

bool dominates(const Graph& graph, const std::map<Pid, std::uint64_t>& own, Pid pid)
{
    const Node& node = graph.at(pid);
    const auto less = [&](Pid other) {
        return own.at(other) * kDominates_percent <= own.at(pid) * 100;
    };
    return std::all_of(node.upstream.begin(), node.upstream.end(), less) &&
           std::all_of(node.downstream.begin(), node.downstream.end(), less);
}

std::optional<std::size_t> bottleneck_of(const Graph& graph, const Pipeline& line,
                                         std::uint64_t span_ns)
{
    std::map<Pid, std::uint64_t> own;
    for (const auto& stage : line.stages) own[stage.task.tgid] = stage.own_ns;
    std::optional<std::size_t> slowest;
    for (std::size_t i = 0; i < line.stages.size(); ++i) {
        const StageRow& stage = line.stages[i];
        const Pid pid = stage.task.tgid;
        const std::uint64_t waited = graph.at(pid).waited_for_ns;
        if (waited == 0 || waited < span_ns / kNotable) continue;
        if (stage.own_ns < stage.span_ns / kHalf || !dominates(graph, own, pid)) continue;
        if (!slowest || stage.own_ns > line.stages[*slowest].own_ns) slowest = i;
    }
    return slowest;
}

Pipeline pipeline_of(const Graph& graph, const std::map<Pid, unsigned>& ranks,
                     const StageTable& stages, const Names& names)
{
    Pipeline line;
    std::uint64_t first_ns = UINT64_MAX;
    std::uint64_t last_ns = 0;
    for (const auto& [pid, rank] : ranks) {
        StageRow row = stages.row(pid, names);
        row.rank = rank;
        const Node& node = graph.at(pid);
        row.reads_from.assign(node.reads_from.begin(), node.reads_from.end());
        row.writes_to.assign(node.writes_to.begin(), node.writes_to.end());
        line.stages.push_back(std::move(row));
        first_ns = std::min(first_ns, stages.first_ns(pid));
        last_ns = std::max(last_ns, stages.last_ns(pid));
    }
    std::stable_sort(line.stages.begin(), line.stages.end(),
                     [](const auto& a, const auto& b) { return a.rank < b.rank; });
    line.bottleneck = bottleneck_of(graph, line, last_ns - std::min(first_ns, last_ns));
    return line;
}

}  // namespace

std::vector<Pipeline> find_pipelines(const std::vector<PipeRow>& pipes,
                                     const StageTable& stages, const Names& names)
{
    Graph graph;
    for (const auto& pipe : pipes) add_pipe(graph, pipe);
    for (const auto& pipe : pipes) add_waiting(graph, pipe);
    std::vector<Pipeline> out;
    std::set<Pid> done;
    for (const auto& [pid, node] : graph) {
        if (done.contains(pid)) continue;
        const auto component = component_of(graph, pid);
        done.insert(component.begin(), component.end());
        out.push_back(pipeline_of(graph, ranks_of(graph, component), stages, names));
    }
    return out;
}

}  // namespace ipcscope::aggregate
