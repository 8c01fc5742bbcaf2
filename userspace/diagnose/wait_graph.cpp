// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/wait_graph.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "diagnose/thresholds.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using aggregate::StopRow;

/// A call that a signal broke off is made again within this time.
constexpr std::uint64_t kAgain_ns = 20'000'000;

constexpr unsigned kSigpipe = 13;

/// The trace's end, give or take the hooks that were under way.
constexpr std::uint64_t kEnd_ns = 20'000'000;

/// Records of calls, by which channels are known.
constexpr std::array kCallKinds{
    IPCSCOPE_CALL_PIPE,   IPCSCOPE_CALL_SPLICE, IPCSCOPE_CALL_UNIX,  IPCSCOPE_CALL_EVENTFD,
    IPCSCOPE_CALL_MQUEUE, IPCSCOPE_CALL_SYSV,   IPCSCOPE_CALL_FUTEX,
};

std::vector<LongWait> joined(std::vector<LongWait> waits)
{
    std::map<std::tuple<Pid, aggregate::ObjectId, bool>, std::size_t> last;
    std::vector<LongWait> out;
    for (LongWait& wait : waits) {
        const auto key = std::tuple(wait.waiter.tid, wait.channel, wait.output);
        const auto found = last.find(key);
        if (found != last.end()) {
            LongWait& before = out[found->second];
            if (before.is_broken_off() &&
                since(wait.start_ns, before.end_ns) <= kAgain_ns) {
                before.end_ns = wait.end_ns;
                before.calls += before.ended == LongWait::Ended::timeout ? 1 : 0;
                before.ended = wait.ended;
                before.waker = wait.waker;
                continue;
            }
        }
        last[key] = out.size();
        out.push_back(std::move(wait));
    }
    return out;
}

std::uint64_t time_of(const std::map<std::uint32_t, std::uint64_t>& times, std::uint32_t id)
{
    const auto found = times.find(id);
    return found == times.end() ? 0 : found->second;
}

}  // namespace

WaitGraph::WaitGraph(const aggregate::Report& report)
    : report_(report), waits_(joined(report.long_waits))
{
    for (const ChannelRow& channel : report.channels) {
        channels_.emplace(channel.object, &channel);
    }
    for (const aggregate::LifeRow& life : report.lives) {
        lives_.emplace(life.process.tgid, &life);
        children_.emplace(life.ppid, &life);
    }
    for (const aggregate::ProcessRow& process : report.processes) {
        processes_.emplace(process.task.tgid, &process);
    }
    for (const StopRow& stop : report.stops) {
        stops_.emplace(stop.process.tgid, &stop);
    }
    for (const aggregate::SleepRow& sleep : report.sleeps) {
        sleeps_.emplace(sleep.process.tgid, &sleep);
    }
    for (const aggregate::WaitRow& row : report.waits) {
        waits_of_.emplace(row.waiter.tid, &row);
    }
    for (LongWait& wait : waits_) {
        const aggregate::LifeRow* writer = wait.output ? life(wait.process.tgid) : nullptr;
        // A write that had moved a part returns that, and no EPIPE, as its last reader goes.
        if (wait.ended == LongWait::Ended::signal && writer != nullptr && writer->exit_ns != 0 &&
            decode::ended_by(writer->exit_code) == kSigpipe &&
            since(writer->exit_ns, wait.end_ns) <= kThresholds.slow_death_ns) {
            wait.ended = LongWait::Ended::broken;
        }
    }
    for (const aggregate::ActorRow& actor : report.actors) {
        alone_ns_[actor.task.tgid] += actor.alone_ns;
        thread_alone_ns_[actor.task.tid] += actor.alone_ns;
    }
}

std::uint64_t WaitGraph::alone_ns(Pid pid) const { return time_of(alone_ns_, pid); }

std::uint64_t WaitGraph::thread_alone_ns(std::uint32_t tid) const
{
    return time_of(thread_alone_ns_, tid);
}

const ChannelRow* WaitGraph::channel(const aggregate::ObjectId& id) const
{
    const auto found = channels_.find(id);
    return found == channels_.end() ? nullptr : found->second;
}

const aggregate::LifeRow* WaitGraph::life(Pid pid) const
{
    const auto found = lives_.find(pid);
    return found == lives_.end() ? nullptr : found->second;
}

const aggregate::LifeRow* WaitGraph::resumer(const aggregate::StopRow& stop) const
{
    const aggregate::LifeRow* own = life(stop.process.tgid);
    const bool died = own != nullptr && own->exit_ns >= stop.end_ns &&
                      decode::ended_by(own->exit_code) == IPCSCOPE_SIGKILL;
    return stop.waker_tid == 0 || died ? nullptr : life(stop.waker_tid);
}

const aggregate::ProcessRow* WaitGraph::process(Pid pid) const
{
    const auto found = processes_.find(pid);
    return found == processes_.end() ? nullptr : found->second;
}

std::uint64_t WaitGraph::threads(Pid pid) const
{
    const aggregate::ProcessRow* row = process(pid);
    return row == nullptr ? 0 : row->threads;
}

const std::vector<ChannelEnd>& WaitGraph::other_end(const ChannelRow& channel, bool output)
{
    return output ? channel.readers : channel.writers;
}

/// Who took a semaphore that is used as a mutex by then, and has not put it back since.
HeldBy WaitGraph::owned_by(const ChannelRow& channel, std::uint64_t time_ns) const
{
    HeldBy held;
    for (const ChannelEnd& end : channel.readers) {
        const aggregate::LifeRow* life = this->life(end.task.tgid);
        const bool gone = life != nullptr && life->exit_ns != 0 && life->exit_ns < time_ns;
        if (end.taken <= 0 || end.taken_ns > time_ns) {
            continue;
        }
        if (!gone) {
            held.ends.push_back(&end);
        } else if (!end.undone) {
            held.left = &end;
        }
    }
    if (!complete() || !channel.mutex || !held.ends.empty()) {
        held.left = nullptr;
    }
    held.known = complete() && channel.mutex && !held.ends.empty() &&
                 std::ranges::all_of(held.ends, &ChannelEnd::traced);
    return held;
}

HeldBy WaitGraph::held_by(const ChannelRow& channel, bool output, std::uint64_t time_ns) const
{
    const aggregate::ChannelKind& kind = aggregate::channel_kind(channel.type);
    if (kind.owned && !output) {
        return owned_by(channel, time_ns);
    }
    HeldBy held;
    if (channel.listens && !output) {
        return held;   // any process may connect
    }
    const auto& ends = other_end(channel, output);
    const auto both_ends = [&](const auto& matches) {
        return std::ranges::any_of(channel.readers, matches) ||
               std::ranges::any_of(channel.writers, matches);
    };
    // At the end of the trace the holders of what hangs are looked up again.
    const bool looked_up =
        since(report_.end_ns, time_ns) <= kEnd_ns &&
        both_ends([&](const ChannelEnd& end) { return end.held_ns >= time_ns; });
    for (const ChannelEnd& end : ends) {
        const aggregate::LifeRow* life = this->life(end.task.tgid);
        const bool gone = life != nullptr && life->exit_ns != 0 && life->exit_ns < time_ns;
        const bool closed = looked_up && end.held_ns < time_ns && end.last_call_ns < time_ns;
        if (!gone && !closed) {
            held.ends.push_back(&end);
        }
    }
    const bool all_seen = output ? channel.reads.traced : channel.writes.traced;
    // Pipes are inherited from processes in the trace; others must have been looked up, and
    // what any process can open by its name at that very time.
    const bool listed = kind.named ? looked_up && kind.held
        : channel.type == decode::ObjectType::pipe ||
              (kind.held && both_ends([](const ChannelEnd& end) { return end.held_ns != 0; }));
    held.all = looked_up && !held.ends.empty();
    held.known = complete() && !held.ends.empty() && listed &&
                 (all_seen || (looked_up && std::ranges::all_of(held.ends, &ChannelEnd::traced)));
    return held;
}

bool WaitGraph::holds(const ChannelRow& channel, bool output, Pid pid) const
{
    return std::ranges::any_of(other_end(channel, output), [&](const ChannelEnd& end) {
        return end.task.tgid == pid;
    });
}

const StopRow* WaitGraph::stopped(Pid pid, std::uint64_t start_ns, std::uint64_t end_ns,
                                  std::uint64_t least_ns) const
{
    const auto [from, to] = stops_.equal_range(pid);
    for (auto at = from; at != to; ++at) {
        const StopRow& stop = *at->second;
        if (since(std::min(stop.end_ns, end_ns), std::max(stop.start_ns, start_ns)) >= least_ns) {
            return &stop;
        }
    }
    return nullptr;
}

const aggregate::SleepRow* WaitGraph::asleep(Pid pid, std::uint64_t start_ns,
                                             std::uint64_t end_ns) const
{
    if (threads(pid) != 1) {
        return nullptr;
    }
    const auto [from, to] = sleeps_.equal_range(pid);
    const auto covers = [&](const auto& entry) {
        const aggregate::SleepRow& sleep = *entry.second;
        return sleep.start_ns <= start_ns && sleep.end_ns >= end_ns;
    };
    const auto found = std::find_if(from, to, covers);
    return found == to ? nullptr : found->second;
}

const aggregate::LifeRow* WaitGraph::branch(Pid pid, Pid from) const
{
    constexpr int kMostSteps = 16;
    for (int steps = 0; steps < kMostSteps; ++steps) {
        const aggregate::LifeRow* life = this->life(pid);
        if (life == nullptr || life->ppid == 0) {
            return nullptr;
        }
        if (life->ppid == from) {
            return life;
        }
        pid = life->ppid;
    }
    return nullptr;
}

std::vector<Pid> WaitGraph::children(Pid pid, std::uint64_t time_ns) const
{
    std::vector<Pid> found;
    std::set<Pid> seen{pid};
    std::vector<Pid> open{pid};
    while (!open.empty()) {
        const auto [from, to] = children_.equal_range(open.back());
        open.pop_back();
        for (auto at = from; at != to; ++at) {
            const aggregate::LifeRow& life = *at->second;
            if (life.born_ns > time_ns || !seen.insert(life.process.tgid).second) {
                continue;
            }
            const bool gone = life.exit_ns != 0 && life.exit_ns < time_ns;
            (gone ? open : found).push_back(life.process.tgid);
        }
    }
    return found;
}

std::uint64_t WaitGraph::longest_over_ns(const LongWait& wait) const
{
    std::uint64_t longest = 0;
    const auto [from, to] = waits_of_.equal_range(wait.waiter.tid);
    for (auto at = from; at != to; ++at) {
        const aggregate::WaitRow& row = *at->second;
        if (row.channel == wait.channel && row.output == wait.output &&
            row.unfinished_ns == 0) {
            longest = std::max(longest, row.longest_ns);
        }
    }
    return longest;
}

bool WaitGraph::complete() const
{
    const aggregate::LossLedger& loss = report_.loss;
    const auto lost_calls = [&](unsigned kind) { return loss.kinds[kind].lost != 0; };
    return report_.complete && loss.exact && std::ranges::none_of(kCallKinds, lost_calls);
}

}  // namespace ipcscope::diagnose
