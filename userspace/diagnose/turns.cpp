// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/turns.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelEnd;
using aggregate::ChannelRow;

/// A process, or beyond all their numbers a pipe.
using Node = std::uint64_t;
using Next = std::map<Node, std::set<Node>>;

/// Who writes to which pipe, and who reads it.
Next flow(const aggregate::Report& report, bool with_locks)
{
    Next next;
    Node node = Node{1} << 32;
    for (const ChannelRow& channel : report.channels) {
        if (!with_locks && !aggregate::channel_kind(channel.type).flows) {
            continue;
        }
        for (const ChannelEnd& writer : channel.writers) {
            if (!writer.holds_only) {
                next[writer.task.tgid].insert(node);
            }
        }
        for (const ChannelEnd& reader : channel.readers) {
            if (!reader.holds_only) {
                next[node].insert(reader.task.tgid);
            }
        }
        ++node;
    }
    return next;
}

/// Tarjan's components, without recursion.
class Groups {
public:
    explicit Groups(const Next& next) : next_(next)
    {
        for (const auto& [node, to] : next) {
            visit(node);
        }
    }
    std::map<Node, Node> take() { return std::move(group_); }

private:
    struct Frame {
        Node node;
        std::vector<Node> left;
    };

    void open(Node node, std::vector<Frame>& frames)
    {
        index_[node] = low_[node] = count_++;
        stack_.push_back(node);
        const auto found = next_.find(node);
        frames.push_back({node, found == next_.end()
                                    ? std::vector<Node>{}
                                    : std::vector<Node>(found->second.begin(),
                                                        found->second.end())});
    }

    void close(Node node)
    {
        if (low_[node] != index_[node]) {
            return;
        }
        for (std::optional<Node> member; member != node;) {
            member = stack_.back();
            stack_.pop_back();
            group_[*member] = node;
        }
    }

    void visit(Node start)
    {
        if (index_.contains(start)) {
            return;
        }
        std::vector<Frame> frames;
        open(start, frames);
        while (!frames.empty()) {
            const Node node = frames.back().node;
            if (frames.back().left.empty()) {
                close(node);
                frames.pop_back();
                if (!frames.empty()) {
                    Node above = frames.back().node;
                    low_[above] = std::min(low_[above], low_[node]);
                }
                continue;
            }
            const Node to = frames.back().left.back();
            frames.back().left.pop_back();
            if (!index_.contains(to)) {
                open(to, frames);
            } else if (!group_.contains(to)) {
                low_[node] = std::min(low_[node], index_[to]);
            }
        }
    }

    const Next& next_;
    std::map<Node, std::size_t> index_;
    std::map<Node, std::size_t> low_;
    std::map<Node, Node> group_;
    std::vector<Node> stack_;
    std::size_t count_ = 0;
};

}  // namespace

Turns::Turns(const aggregate::Report& report)
    : by_data_(Groups(flow(report, false)).take()), by_all_(Groups(flow(report, true)).take())
{
}

bool Turns::taken_by(Pid a, Pid b, const ChannelRow& channel) const
{
    const auto& group = aggregate::channel_kind(channel.type).flows ? by_data_ : by_all_;
    const auto x = group.find(a);
    const auto y = group.find(b);
    return a == b || (x != group.end() && y != group.end() && x->second == y->second);
}

}  // namespace ipcscope::diagnose
