// SPDX-License-Identifier: GPL-2.0-only
// Which process retries refused calls on a non-blocking end, instead of waiting?
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

/// One that reads until it is refused once a message, as event loops do, is none.
bool is_storm(const ChannelEnd& end)
{
    return end.longest_row >= kThresholds.storm_row && at_least(end.refused, end.count, 1, 2);
}

std::uint64_t refused_ns(const ChannelEnd& end)
{
    // Those of the last row had no success after them.
    return plus(end.refused_ns, end.row == 0 ? 0 : since(end.last_call_ns, end.row_since_ns));
}

char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

Finding storm(const ChannelRow& channel, const ChannelEnd& end, bool output)
{
    const auto& others = output ? channel.readers : channel.writers;
    Finding made = finding(
        Code::eagain_storm,
        fmt::format("{} was {} for {}, and {} kept retrying: {} of its {} {} were refused "
                    "with EAGAIN, up to {} in a row.",
                    which(channel), output ? "full" : "empty", time(refused_ns(end)),
                    who(end.task), grouped(end.refused), grouped(end.count),
                    words(channel).side(output).calls, grouped(end.longest_row)));
    made.text.front() = upper(made.text.front());
    made.advice = output ? "Wait in poll() for room, or make the end blocking: O_NONBLOCK is set "
                           "for all that share the open file."
                         : "Wait in poll() for data, or make the end blocking.";
    made.subjects.push_back({end.task, output ? "writer" : "reader"});
    for (const ChannelEnd& other : others) {
        made.subjects.push_back({other.task, output ? "reader" : "writer"});
    }
    made.objects.push_back(object_of(channel));
    made.at_ns = end.first_call_ns;
    made.duration_ns = refused_ns(end);
    made.evidence = {{"refused", end.refused},
                     {"tried", end.count},
                     {"short_calls", end.short_calls},
                     {output ? "full_ns" : "empty_ns", made.duration_ns}};
    return made;
}

}  // namespace

void find_refusals(const WaitGraph& graph, Findings& findings)
{
    for (const ChannelRow& channel : graph.report().channels) {
        for (const ChannelEnd& end : channel.writers) {
            if (is_storm(end)) {
                findings.push_back(storm(channel, end, true));
            }
        }
        for (const ChannelEnd& end : channel.readers) {
            if (is_storm(end)) {
                findings.push_back(storm(channel, end, false));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
