// SPDX-License-Identifier: GPL-2.0-only
// Which two processes sleep in poll, each for what the other would write?
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LifeRow;
using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using aggregate::SleepRow;

constexpr std::uint64_t kEnd_ns = 20'000'000;
constexpr std::uint64_t kSoon_ns = 500'000'000;

/// The signal that ended the process in that sleep; 0: none did.
unsigned killed_in(const WaitGraph& graph, const SleepRow& sleep)
{
    const LifeRow* life = graph.life(sleep.process.tgid);
    const bool soon = life != nullptr && life->exit_ns >= sleep.end_ns &&
                      life->exit_ns - sleep.end_ns < kSoon_ns;
    return soon ? decode::ended_by(life->exit_code) : 0;
}

/// A sleep in poll that the trace's end broke off, or the process's by a signal.
bool is_last_poll(const WaitGraph& graph, const SleepRow& sleep)
{
    const bool polls = sleep.polls() && graph.threads(sleep.process.tgid) == 1;
    const bool to_the_end = since(graph.report().end_ns, sleep.end_ns) <= kEnd_ns;
    return polls && (to_the_end || killed_in(graph, sleep) != 0);
}

/// "the trace ended", "SIGTERM ended 5 (a)"
std::string its_end(const WaitGraph& graph, const SleepRow& first)
{
    const unsigned signal = killed_in(graph, first);
    return signal == 0 ? "the trace ended"
                       : fmt::format("{} ended {}", decode::signal_name(signal),
                                     who(first.process));
}

/// By who alone reads a pipe, after polls for it, and who alone writes it: it was empty.
using Inputs = std::map<std::pair<Pid, Pid>, const ChannelRow*>;

Inputs empty_inputs(const WaitGraph& graph, const std::map<Pid, const SleepRow*>& polls)
{
    Inputs found;
    for (const ChannelRow& channel : graph.report().channels) {
        if (!channel.is_pipe() || channel.reads.bytes != channel.writes.bytes) {
            continue;   // a socket is polled for by both sides while neither asks
        }
        for (const ChannelEnd& reader : channel.readers) {
            const auto poll = polls.find(reader.task.tgid);
            if (poll == polls.end() || reader.polled_ns == 0) {
                continue;
            }
            const std::uint64_t start_ns = poll->second->start_ns;
            const ChannelEnd* reads = graph.held_by(channel, true, start_ns).only();
            const ChannelEnd* writes = graph.held_by(channel, false, start_ns).only();
            if (reads == &reader && writes != nullptr) {
                found.emplace(std::pair(reader.task.tgid, writes->task.tgid), &channel);
            }
        }
    }
    return found;
}

struct Span {
    std::uint64_t start_ns;
    std::uint64_t end_ns;
};

Span together(const SleepRow& a, const SleepRow& b)
{
    const std::uint64_t start_ns = std::max(a.start_ns, b.start_ns);
    return {start_ns, std::max(start_ns, std::min(a.end_ns, b.end_ns))};
}

Finding both_poll(const WaitGraph& graph, const SleepRow& a, const SleepRow& b,
                  const ChannelRow& to_a, const ChannelRow& to_b)
{
    const auto [start_ns, end_ns] = together(a, b);
    Finding made = finding(
        Code::stuck_read,
        fmt::format("{} and {} both slept in poll for {} when {}. The pipes between them, {} and "
                    "{}, were empty, and each had polled for the other's before: they may wait "
                    "for each other. What they poll now is not recorded.",
                    who(a.process), who(b.process), time(end_ns - start_ns),
                    its_end(graph, a.end_ns <= b.end_ns ? a : b), which(to_a), which(to_b)));
    made.subjects = {{a.process, "waiter"}, {b.process, "waiter"}};
    made.objects = {object_of(to_a), object_of(to_b)};
    made.at_ns = start_ns;
    made.duration_ns = end_ns - start_ns;
    made.evidence = {{"polled_ns", made.duration_ns}};
    return made;
}

}  // namespace

void find_mutual_polls(const WaitGraph& graph, Findings& findings)
{
    std::map<Pid, const SleepRow*> polls;
    for (const SleepRow& sleep : graph.report().sleeps) {
        if (is_last_poll(graph, sleep)) {
            polls[sleep.process.tgid] = &sleep;
        }
    }
    const Inputs inputs = empty_inputs(graph, polls);
    for (const auto& [ends, to_a] : inputs) {
        const auto [a, b] = ends;
        const auto to_b = inputs.find({b, a});
        if (a >= b || to_b == inputs.end()) {
            continue;
        }
        const auto [start_ns, end_ns] = together(*polls.at(a), *polls.at(b));
        if (end_ns - start_ns >= kThresholds.stuck_ns) {
            findings.push_back(
                both_poll(graph, *polls.at(a), *polls.at(b), *to_a, *to_b->second));
        }
    }
}

}  // namespace ipcscope::diagnose
