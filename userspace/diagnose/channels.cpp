// SPDX-License-Identifier: GPL-2.0-only
// All that is found about channels, from one wait graph.
#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/kinds.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {

Object object_of(const aggregate::ChannelRow& channel)
{
    return {channel.type, channel.object.object, channel.object.dev};
}

std::string waiter(const WaitGraph& graph, const aggregate::LongWait& wait)
{
    const std::string process = who(wait.process);
    if (graph.threads(wait.process.tgid) <= 1) {
        return process;
    }
    return wait.waiter.tid == wait.process.tgid
               ? "the main thread of " + process
               : fmt::format("thread {} of {}", wait.waiter.tid, process);
}

bool holds_itself(const aggregate::LongWait& wait, const HeldBy& held)
{
    return held.ends.size() == 1 && held.ends.front()->task.tgid == wait.process.tgid;
}

std::string holders_of(const aggregate::LongWait& wait, const HeldBy& held)
{
    return holds_itself(wait, held) ? "it itself" : all_of(held.ends);
}

unsigned killed_by(const WaitGraph& graph, const aggregate::LongWait& wait)
{
    constexpr std::uint64_t kSoon_ns = 500'000'000;
    const aggregate::LifeRow* life = graph.life(wait.process.tgid);
    const bool soon = life != nullptr && life->exit_ns >= wait.end_ns &&
                      life->exit_ns - wait.end_ns < kSoon_ns;
    return soon ? decode::ended_by(life->exit_code) : 0;
}

std::string lasted(const aggregate::LongWait& wait)
{
    const std::string ns = time(wait.length_ns());
    return wait.calls > 1 ? fmt::format("{}, by {} calls in turn,", ns, wait.calls) : ns;
}

std::string_view how_broken_off(const aggregate::LongWait& wait)
{
    if (wait.ended == aggregate::LongWait::Ended::signal) {
        return "a signal broke the call off";
    }
    return wait.calls > 1 ? "the last one's timeout was over" : "its timeout broke the call off";
}

std::string into_trace(const WaitGraph& graph, std::uint64_t time_ns)
{
    return time(since(time_ns, graph.report().host.start_ns));
}

/// Those that explain a wait fully come first.
void find_channels(const aggregate::Report& report, Findings& findings)
{
    WaitGraph graph(report);
    const Blame blame = book_waits(graph);
    find_deadlocks(graph, findings);
    find_partners(graph, findings);
    find_held_ends(graph, findings);
    find_stuck(graph, findings);
    find_mutual_polls(graph, findings);
    find_slow_stages(graph, blame, findings);
    find_convoys(graph, blame, findings);
    find_gone_readers(graph, findings);
    find_refusals(graph, findings);
    find_short_calls(graph, findings);
    find_rings(graph, findings);
    find_starved(graph, findings);
}

}  // namespace ipcscope::diagnose
