// SPDX-License-Identifier: GPL-2.0-only
// Which read or write never returned?
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::ChannelEnd;
using aggregate::ChannelRow;

/// "5 (sleep) alone holds the read end"
std::string holders(const LongWait& wait, const ChannelRow& channel, const HeldBy& held)
{
    const bool one = held.ends.size() == 1;
    if (aggregate::channel_kind(channel.type).owned && !wait.output) {
        return fmt::format("{} {} taken it and not put it back", all_of(held.ends),
                           one ? "has" : "have");
    }
    return fmt::format("{} {} the {}", all_of(held.ends), one ? "alone holds" : "hold",
                       words(channel).side(!wait.output).end);
}

constexpr std::uint64_t kGoing_ns = 100'000'000;

std::string_view call_name(aggregate::SleepRow::In in)
{
    using In = aggregate::SleepRow::In;
    switch (in) {
    case In::poll: return "poll()";
    case In::select: return "select()";
    case In::epoll_wait: return "epoll_wait()";
    case In::wait:
    case In::other: break;
    }
    return "";
}

/// Its sleep in poll that covers the end of the wait; nullptr: it has none.
const aggregate::SleepRow* asleep_in_poll(const WaitGraph& graph, const LongWait& wait, Pid pid)
{
    const std::uint64_t from_ns =
        std::max(wait.start_ns, since(wait.end_ns, kThresholds.stuck_ns));
    const aggregate::SleepRow* sleep = graph.asleep(pid, from_ns, since(wait.end_ns, kGoing_ns));
    return sleep != nullptr && sleep->polls() ? sleep : nullptr;
}

/// The only reader's sleep in poll, to the end of a wait for room: nullptr: it has none.
/// A pipe that is full can be read, so that a poll of it for input would have returned.
const aggregate::SleepRow* missed(const WaitGraph& graph, const LongWait& wait,
                                  const HeldBy& held)
{
    const ChannelEnd* reader = held.only();
    return !wait.output || reader == nullptr || wait.length_ns() < kThresholds.stuck_ns
        ? nullptr : asleep_in_poll(graph, wait, reader->task.tgid);
}

/// A slot holds a page at most.
constexpr std::uint64_t kPage_bytes = 4096;

/// The full pipe for which a process sleeps in poll: its last write to it filled it, moved a part
/// or was refused, and nothing was read since.  nullptr: there is none.
const ChannelRow* full_output(const WaitGraph& graph, Pid pid)
{
    for (const ChannelRow& channel : graph.report().channels) {
        const auto writer = std::ranges::find(channel.writers, pid, [](const ChannelEnd& end) {
            return end.task.tgid;
        });
        const std::uint64_t held_bytes = since(channel.writes.bytes, channel.reads.bytes);
        const bool full = channel.ring_slots != 0 &&
                          held_bytes > (channel.ring_slots - 1) * kPage_bytes;
        if (writer == channel.writers.end() || !channel.is_pipe() || held_bytes == 0 ||
            !(full || writer->wants_more)) {
            continue;
        }
        const bool read_since = std::ranges::any_of(channel.readers, [&](const ChannelEnd& end) {
            return end.last_call_ns > writer->last_call_ns;
        });
        if (!read_since) {
            return &channel;
        }
    }
    return nullptr;
}

/// " 21 (relay) slept in poll() for 1.7 s of that"
std::string polled_text(const LongWait& wait, const ChannelEnd& reader,
                        const aggregate::SleepRow& sleep)
{
    const std::uint64_t ns = since(std::min(sleep.end_ns, wait.end_ns),
                                   std::max(sleep.start_ns, wait.start_ns));
    return fmt::format(" {} slept in {} for {} of that", who(reader.task), call_name(sleep.in),
                       time(ns));
}

/// " 21 (server) slept in epoll_wait() for 1.7 s of that, though the pipe could be read: …"
std::string missed_text(const LongWait& wait, const ChannelRow& channel, const ChannelEnd& reader,
                        const aggregate::SleepRow& sleep)
{
    const bool epoll = sleep.in == aggregate::SleepRow::In::epoll_wait;
    const std::string_view noun = words(channel).noun;
    return fmt::format("{}, though the {} could be read: it does not poll this {} for input{}.",
                       polled_text(wait, reader, sleep), noun, noun,
                       epoll ? ", or by EPOLLET, where what was left unread is no new event" : "");
}

/// " 12 (worker) took it 1.2 s into the trace, and exited at 2.0 s without putting it back: …"
std::string left_behind(const WaitGraph& graph, const ChannelEnd& end)
{
    const aggregate::LifeRow* life = graph.life(end.task.tgid);
    return fmt::format(" {} took it {} into the trace, and ended {} into it without putting it "
                       "back: for a process that ends the kernel does so only with SEM_UNDO.",
                       who(end.task), into_trace(graph, end.taken_ns),
                       into_trace(graph, life->exit_ns));
}

/// Of what has no holders: who ended such a wait last.
std::string last_partner(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel)
{
    const SideWords& other = words(channel).side(!wait.output);
    const auto& ends = WaitGraph::other_end(channel, wait.output);
    const auto last = std::ranges::max_element(ends, {}, [&](const ChannelEnd& end) {
        return end.only_tid == wait.waiter.tid ? 0 : end.last_call_ns;   // not its own, earlier
    });
    const aggregate::ChannelKind& kind = aggregate::channel_kind(channel.type);
    std::string text = kind.named  ? " Any process can open it by its name"
                       : kind.held ? fmt::format(" Who holds its {} is not recorded", other.end)
                                   : " Which process could have ended that wait is not recorded";
    const bool own = last != ends.end() && last->only_tid == wait.waiter.tid;
    if (last == ends.end() || last->last_call_ns == 0 || own) {
        return fmt::format("{}; {} has {} in the trace.", text, own ? "no other" : "none",
                           other.done);
    }
    const aggregate::LifeRow* life = graph.life(last->task.tgid);
    const bool gone = life != nullptr && life->exit_ns != 0 && life->exit_ns <= wait.end_ns;
    return fmt::format("{}; {} last {}, {} into the trace{}.", text, who(last->task),
                       other.did, into_trace(graph, last->last_call_ns),
                       gone ? fmt::format(", and had ended {} into it", into_trace(graph, life->exit_ns))
                            : "");
}

/// " 206 (writer) has slept in flock() for 4.55 s."; "" where that is not known.
std::string holder_sleeps(const WaitGraph& graph, const LongWait& wait, const HeldBy& held)
{
    const ChannelEnd* only = held.only();
    const aggregate::SleepRow* sleep = only == nullptr
        ? nullptr
        : graph.asleep(only->task.tgid, since(wait.end_ns, kThresholds.stuck_ns / 2),
                       since(wait.end_ns, kGoing_ns));
    return sleep == nullptr || sleep->in != aggregate::SleepRow::In::other
        ? ""
        : fmt::format(" {} slept in {} for {} then.", who(only->task),
                      syscall(graph.report().host, sleep->syscall),
                      time(since(sleep->end_ns, sleep->start_ns)));
}

/// What the holders of the other end did: the reason as far as the records have it.
std::string partners(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel,
                     const HeldBy& held)
{
    const aggregate::ChannelKind& kind = aggregate::channel_kind(channel.type);
    const SideWords& other = words(channel).side(!wait.output);
    if (!held.known && held.all) {
        return fmt::format(" {}; what {} is not in the trace.", holders(wait, channel, held),
                           held.ends.size() == 1 ? "it does" : "they do");
    }
    if (held.left != nullptr) {
        return left_behind(graph, *held.left);
    }
    if (!held.known) {
        return kind.held && !graph.report().host.filters.empty() ? fmt::format(" What the processes at its {} did is not in the trace.",
                                       other.end)
                         : last_partner(graph, wait, channel);
    }
    std::uint64_t last_ns = 0;
    for (const ChannelEnd* end : held.ends) {
        last_ns = std::max(last_ns, end->last_call_ns);
    }
    if (last_ns == 0) {
        return fmt::format(" {}, and {} not {} in the trace.", holders(wait, channel, held),
                           held.ends.size() == 1 ? "has" : "have", other.done);
    }
    const SideWords& last = kind.owned ? words(channel).take : other;
    return fmt::format(" {}, and last {} {} into the trace.", holders(wait, channel, held),
                       last.did, into_trace(graph, last_ns));
}

/// Whom a relay waits for in turn, which sleeps in poll as its own output is full, and so on.
void add_full_outputs(const WaitGraph& graph, const LongWait& wait, const ChannelRow* full,
                      const ChannelEnd* relay, Finding& made)
{
    std::set<Pid> seen{wait.process.tgid};
    while (full != nullptr && seen.insert(relay->task.tgid).second) {
        const aggregate::SleepRow* sleep = asleep_in_poll(graph, wait, relay->task.tgid);
        if (sleep == nullptr) {
            return;
        }
        const HeldBy held = graph.held_by(*full, true, wait.end_ns);
        made.text += fmt::format("{}, as {}, which it writes, was full.{}{}",
                                 polled_text(wait, *relay, *sleep), which(*full),
                                 partners(graph, wait, *full, held),
                                 holder_sleeps(graph, wait, held));
        made.objects.push_back(object_of(*full));
        relay = held.only();
        if (relay == nullptr) {
            return;
        }
        made.subjects.push_back({relay->task, "holder"});
        full = full_output(graph, relay->task.tgid);
    }
}

/// Much longer than any wait of that thread on that pipe that came to an end.
bool unusual(const WaitGraph& graph, const LongWait& wait)
{
    return graph.longest_over_ns(wait) < since(wait.end_ns, wait.start_ns) / 2;
}

/// A write for which no reader had come, or a wait for what another keeps, was broken off.
bool is_given_up(const LongWait& wait, const ChannelRow& channel, const HeldBy& held)
{
    if (!wait.output) {
        return aggregate::channel_kind(channel.type).owned && (held.known || held.left != nullptr);
    }
    return std::ranges::all_of(channel.readers, [&](const ChannelEnd& end) {
        return end.last_call_ns <= wait.start_ns;
    });
}

/// How the wait came to its end.
std::string its_end(const WaitGraph& graph, const LongWait& wait)
{
    if (wait.ended == LongWait::Ended::unfinished) {
        return "the trace ended";
    }
    if (wait.ended == LongWait::Ended::broken) {
        return "its last reader was gone";
    }
    const unsigned signal = wait.ended == LongWait::Ended::signal ? killed_by(graph, wait) : 0;
    return signal == 0 ? std::string(how_broken_off(wait)) : decode::signal_name(signal) + " ended it";
}

/// It never returned, or not before one of the two ended.
bool is_stuck(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel,
              const HeldBy& held)
{
    switch (wait.ended) {
    // A server may wait for connections as long as it likes.
    case LongWait::Ended::unfinished:
        return (wait.output || !channel.listens) && unusual(graph, wait);
    case LongWait::Ended::broken: return missed(graph, wait, held) != nullptr;
    case LongWait::Ended::signal:
    case LongWait::Ended::timeout:
        return wait.op == decode::Op::open || is_given_up(wait, channel, held) ||
               missed(graph, wait, held) != nullptr;
    case LongWait::Ended::woken:
    case LongWait::Ended::end_of_file: break;
    }
    return false;
}

/// ": the pipe was full"
std::string full_words(const ChannelRow& channel)
{
    if (channel.listens) {
        return ": its backlog was full";
    }
    if (channel.type == decode::ObjectType::eventfd) {
        return ": what it adds would have been more than the count can hold";
    }
    return aggregate::channel_kind(channel.type).flows
        ? fmt::format(": the {} was full", words(channel).noun) : "";
}

/// It waits until another process opens the other end: that it still does says that none
/// has.
Finding stuck_open(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel)
{
    Finding made = finding(
        Code::stuck_open,
        fmt::format("{} had been blocked in the open of {} for {}, for {}, when {}: no process "
                    "has opened it for {} meanwhile.",
                    waiter(graph, wait), which(channel), wait.output ? "writing" : "reading",
                    time(wait.length_ns()), its_end(graph, wait),
                    wait.output ? "reading" : "writing"));
    made.advice = "O_NONBLOCK opens a read end at once, and O_RDWR any.";
    made.subjects = {{wait.process, "waiter"}};
    made.objects.push_back(object_of(channel));
    made.at_ns = wait.start_ns;
    made.duration_ns = wait.length_ns();
    made.evidence = {{"blocked_ns", wait.length_ns()}};
    return made;
}

/// The listening socket shows only in the accept() that makes room: there was none.
Finding stuck_connect(const WaitGraph& graph, const LongWait& wait)
{
    Finding made = finding(
        Code::stuck_connect,
        fmt::format("{} had been blocked in the connect() of Unix socket {} for {} when {}: the "
                    "backlog of the listening socket was full, and no accept() had made room for it. "
                    "Which socket listens is not recorded.",
                    waiter(graph, wait), wait.channel.object, time(wait.length_ns()),
                    its_end(graph, wait)));
    made.subjects = {{wait.process, "waiter"}};
    made.at_ns = wait.start_ns;
    made.duration_ns = wait.length_ns();
    made.evidence = {{"blocked_ns", wait.length_ns()}};
    return made;
}

Finding stuck(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel,
              const HeldBy& held)
{
    const std::uint64_t ns = wait.length_ns();
    const std::string when = wait.before_trace
        ? "since before the trace"
        : fmt::format("for {}", lasted(wait));
    Finding made = finding(
        wait.output ? Code::stuck_write : Code::stuck_read,
        fmt::format("{} had been blocked in a {} {} {} when {}{}.", waiter(graph, wait),
                    words(channel).side(wait.output).call, which(channel), when,
                    its_end(graph, wait), wait.output ? full_words(channel) : ""));
    if (wait.ended != LongWait::Ended::unfinished) {
        made.severity = Severity::warning;
    }
    made.text += partners(graph, wait, channel, held);
    made.text += holder_sleeps(graph, wait, held);
    if (held.left != nullptr) {
        made.severity = Severity::warning;
        made.subjects.push_back({held.left->task, "holder"});
        made.advice = "Take it with SEM_UNDO; this one is set free by semctl(SETVAL), or removed "
                      "by ipcrm.";
    }
    if (held.known || held.all) {
        for (const ChannelEnd* end : held.ends) {
            made.subjects.push_back({end->task, "holder"});
        }
    }
    made.subjects.insert(made.subjects.begin(), {wait.process, "waiter"});
    made.objects.push_back(object_of(channel));
    const aggregate::SleepRow* sleep = missed(graph, wait, held);
    const ChannelRow* full = sleep == nullptr ? nullptr : full_output(graph, held.only()->task.tgid);
    if (full != nullptr) {
        add_full_outputs(graph, wait, full, held.only(), made);
    } else if (sleep != nullptr) {
        made.text += missed_text(wait, channel, *held.only(), *sleep);
        if (sleep->in == aggregate::SleepRow::In::epoll_wait) {
            made.advice = "With EPOLLET, read until EAGAIN before the next epoll_wait().";
        }
    }
    made.at_ns = wait.start_ns;
    made.duration_ns = ns;
    made.evidence = {{"blocked_ns", ns},
                     {"asked_bytes", std::uint64_t{wait.requested}},
                     {"since_before_trace", std::uint64_t{wait.before_trace}}};
    return made;
}

}  // namespace

void find_stuck(WaitGraph& graph, Findings& findings)
{
    for (const LongWait& wait : graph.waits()) {
        if (wait.op == decode::Op::connect) {
            if (wait.length_ns() >= kThresholds.stuck_ns) {
                findings.push_back(stuck_connect(graph, wait));
            }
            continue;
        }
        const ChannelRow* channel = graph.channel(wait.channel);
        if (channel == nullptr || graph.explained(wait) ||
            (!wait.before_trace && wait.length_ns() < kThresholds.stuck_ns)) {
            continue;
        }
        const bool broken = wait.ended == LongWait::Ended::broken;
        const HeldBy held =
            graph.held_by(*channel, wait.output, broken ? wait.start_ns : wait.end_ns);
        if (!is_stuck(graph, wait, *channel, held)) {
            continue;
        }
        if (broken && full_output(graph, held.only()->task.tgid) == nullptr) {
            graph.accuse(held.only()->task.tgid);
        }
        graph.explain(wait);
        findings.push_back(wait.op == decode::Op::open ? stuck_open(graph, wait, *channel)
                                                       : stuck(graph, wait, *channel, held));
    }
}

}  // namespace ipcscope::diagnose
