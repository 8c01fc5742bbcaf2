// SPDX-License-Identifier: GPL-2.0-only
// Which process retries refused calls on a non-blocking end, instead of waiting?
#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/pipe_kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::PipeEndRow;
using aggregate::PipeRow;

/// One that reads until it is refused once a message, as event loops do, is none.
bool is_storm(const PipeEndRow& end)
{
    return end.longest_row >= kThresholds.storm_row && at_least(end.refused, end.count, 1, 2);
}

std::uint64_t refused_ns(const PipeEndRow& end)
{
    // Those of the last row had no success after them.
    return plus(end.refused_ns, end.row == 0 ? 0 : since(end.last_call_ns, end.row_since_ns));
}

Finding storm(const PipeRow& pipe, const PipeEndRow& end, bool output)
{
    const auto& others = output ? pipe.readers : pipe.writers;
    Finding made = finding(
        Code::eagain_storm,
        fmt::format("{} was {} for {}, and {} kept retrying: {} of its {} {} were refused "
                    "with EAGAIN, up to {} in a row.",
                    which(pipe), output ? "full" : "empty", time(refused_ns(end)),
                    who(end.task), grouped(end.refused), grouped(end.count),
                    output ? "writes" : "reads", grouped(end.longest_row)));
    made.text.front() = static_cast<char>(made.text.front() == 'p' ? 'P' : made.text.front());
    made.advice = output ? "Wait in poll() for room, or make the end blocking: O_NONBLOCK is set "
                           "for all that share the open file."
                         : "Wait in poll() for data, or make the end blocking.";
    made.subjects.push_back({end.task, output ? "writer" : "reader"});
    for (const PipeEndRow& other : others) {
        made.subjects.push_back({other.task, output ? "reader" : "writer"});
    }
    made.objects.push_back(object_of(pipe));
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
    for (const PipeRow& pipe : graph.report().pipes) {
        for (const PipeEndRow& end : pipe.writers) {
            if (is_storm(end)) {
                findings.push_back(storm(pipe, end, true));
            }
        }
        for (const PipeEndRow& end : pipe.readers) {
            if (is_storm(end)) {
                findings.push_back(storm(pipe, end, false));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
