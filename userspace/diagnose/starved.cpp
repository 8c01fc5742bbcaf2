// SPDX-License-Identifier: GPL-2.0-only
// Do messages of a low priority stay in a queue, because more of a higher one come?
#include <algorithm>
#include <iterator>
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
using aggregate::PriorityRow;

/// The longest that one waited, received or not.
std::uint64_t longest_ns(const PriorityRow& row)
{
    return std::max(row.waits_ns, row.waited.max());
}

bool is_starved(const PriorityRow& row)
{
    return row.overtaken_ns >= kThresholds.starved_ns &&
           row.overtaken >= kThresholds.starved_overtaken;
}

const ChannelRow* channel_of(const aggregate::Report& report, const aggregate::ObjectRow& queue)
{
    const auto found = std::ranges::find_if(report.channels, [&](const ChannelRow& channel) {
        return channel.type == queue.type && channel.object.object == queue.object &&
               channel.object.dev == queue.dev;
    });
    return found == report.channels.end() ? nullptr : &*found;
}

/// Who has the queue open, and called.
std::vector<ChannelEnd> callers(const std::vector<ChannelEnd>& ends)
{
    std::vector<ChannelEnd> out;
    std::ranges::copy_if(ends, std::back_inserter(out),
                         [](const ChannelEnd& end) { return end.count != 0; });
    return out;
}

Finding starved(const ChannelRow& channel, const PriorityRow& low, const PriorityRow& highest)
{
    const std::vector<ChannelEnd> receivers = callers(channel.readers);
    Finding made = finding(
        Code::priority_starved,
        fmt::format("In {}, a message of priority {} {} {}: {} of a higher priority that were sent "
                    "after it were received before it.",
                    which(channel), low.priority,
                    low.waits_ns == low.overtaken_ns ? "has waited" : "waited",
                    time(low.overtaken_ns), grouped(low.overtaken)));
    if (!receivers.empty()) {
        made.text += fmt::format(" {} received {} of priority {}, which waited up to {}, and {} of "
                                 "the {} of priority {}.",
                                 all_of(receivers), grouped(highest.received),
                                 highest.priority, time(longest_ns(highest)),
                                 grouped(low.received), grouped(low.sent), low.priority);
    }
    made.advice = "Receive faster, or in more processes; or send what has waited with a higher "
                  "priority.";
    for (const ChannelEnd& end : receivers) {
        made.subjects.push_back({end.task, "receiver"});
    }
    for (const ChannelEnd& end : callers(channel.writers)) {
        made.subjects.push_back({end.task, "sender"});
    }
    made.objects.push_back(object_of(channel));
    made.at_ns = channel.first_ns;
    made.duration_ns = low.overtaken_ns;
    made.evidence = {{"priority", low.priority},
                     {"overtaken", low.overtaken},
                     {"sent", low.sent},
                     {"received", low.received}};
    return made;
}

}  // namespace

void find_starved(const WaitGraph& graph, Findings& findings)
{
    for (const aggregate::ObjectRow& queue : graph.report().objects) {
        const auto low = std::ranges::max_element(
            queue.priorities, {}, [](const PriorityRow& row) {
                return is_starved(row) ? longest_ns(row) : 0;
            });
        if (low == queue.priorities.end() || !is_starved(*low)) {
            continue;
        }
        if (const ChannelRow* channel = channel_of(graph.report(), queue)) {
            findings.push_back(starved(*channel, *low, queue.priorities.front()));
        }
    }
}

}  // namespace ipcscope::diagnose
