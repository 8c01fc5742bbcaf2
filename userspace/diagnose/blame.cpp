// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/blame.hpp"

#include <map>
#include <tuple>

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelRow;
using aggregate::WaitRow;

class Book {
public:
    explicit Book(const WaitGraph& graph) : graph_(graph) {}

    void add(const WaitRow& row)
    {
        blame_.waited_ns += row.total_ns;
        const ChannelRow* channel = graph_.channel(row.channel);
        if (channel != nullptr && row.waker.tid != 0 &&
            graph_.holds(*channel, row.output, row.waker.tgid)) {
            hand_on(row, *channel, row.waker.tgid, row.total_ns, row.polled_ns);
            return;
        }
        const std::uint64_t open_ns = channel == nullptr || row.waker.tid != 0
                                          ? 0 : row.unfinished_ns;
        blame_.unattributed_ns += row.total_ns - open_ns;
        if (open_ns == 0) {
            return;
        }
        const HeldBy held = graph_.held_by(*channel, row.output, graph_.report().end_ns);
        if (const auto* only = held.only()) {
            hand_on(row, *channel, only->task.tgid, open_ns, 0);
        } else if (held.known) {
            blame_.shared_ns += open_ns;
        } else {
            blame_.unattributed_ns += open_ns;
        }
    }

    Blame result()
    {
        for (const auto& [key, edge] : edges_) {
            blame_.edges.push_back(edge);
        }
        return std::move(blame_);
    }

private:
    void hand_on(const WaitRow& row, const ChannelRow& channel, Pid holder, std::uint64_t ns,
                 std::uint64_t polled_ns)
    {
        blame_.handed_on_ns += ns;
        Blame::Edge& edge = edges_[{row.waiter.tgid, holder, &channel, row.output}];
        edge.waiter = row.waiter.tgid;
        edge.holder = holder;
        edge.channel = &channel;
        edge.output = row.output;
        edge.ns += ns;
        edge.polled_ns += polled_ns;
    }

    const WaitGraph& graph_;
    Blame blame_;
    std::map<std::tuple<Pid, Pid, const ChannelRow*, bool>, Blame::Edge> edges_;
};

}  // namespace

Blame book_waits(const WaitGraph& graph)
{
    Book book(graph);
    for (const WaitRow& row : graph.report().waits) {
        book.add(row);
    }
    return book.result();
}

}  // namespace ipcscope::diagnose
