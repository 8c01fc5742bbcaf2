// SPDX-License-Identifier: GPL-2.0-only
// Which end of file came late, or not at all, because a write end was held open?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LifeRow;
using aggregate::LongWait;
using aggregate::ChannelEnd;
using aggregate::ChannelRow;

/// Of these the reader gets an end of file when the last holder of the other end closes it.
bool has_end_of_file(const ChannelRow& channel)
{
    return channel.is_pipe() || (!channel.listens && (channel.type == decode::ObjectType::unix_stream ||
                                                      channel.type == decode::ObjectType::unix_seqpacket));
}

Finding held_open(const LongWait& wait, const ChannelRow& channel, std::string text)
{
    Finding made = finding(Code::end_held_open, std::move(text));
    made.subjects.push_back({wait.process, "reader"});
    made.objects.push_back(object_of(channel));
    made.at_ns = wait.start_ns;
    made.duration_ns = wait.length_ns();
    made.evidence = {{"waited_ns", made.duration_ns}};
    made.advice = channel.is_pipe()
        ? "Close the write end in it: O_CLOEXEC, close() after fork(), or redirect its output."
        : "Close the socket in it: O_CLOEXEC, or close() after fork(). Or call shutdown(SHUT_WR) where "
          "the last is sent: it ends the stream though others have the socket open.";
    return made;
}

/// All holders have not written since they were born, or since the trace began.
bool never_wrote(const HeldBy& held)
{
    return held.known && std::ranges::all_of(held.ends, &ChannelEnd::holds_only);
}

bool born_in_trace(const WaitGraph& graph, Pid pid)
{
    const LifeRow* life = graph.life(pid);
    return life != nullptr && life->born_ns != 0;
}

/// The end of file did not come until a signal, a timeout or the trace's end ended the wait.
Finding never_came(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel,
                   const HeldBy& held)
{
    const auto& ends = held.ends;
    const bool since_birth = std::ranges::all_of(ends, [&](const ChannelEnd* end) {
        return born_in_trace(graph, end->task.tgid);
    });
    Finding made = held_open(
        wait, channel,
        fmt::format("{} had waited {} for data or end of file from {} when {}: only {} hold{} "
                    "its {}, and {} not {}{}.",
                    waiter(graph, wait),
                    wait.before_trace ? "since before the trace" : lasted(wait),
                    which(channel), wait.is_broken_off() ? how_broken_off(wait) : "the trace ended",
                    holders_of(wait, held), ends.size() == 1 ? "s" : "", words(channel).put.end,
                    ends.size() == 1 ? "has" : "have", words(channel).put.done,
                    since_birth ? "" : " in the trace"));
    for (const ChannelEnd* end : ends) {
        made.subjects.push_back({end->task, "holder"});
    }
    return made;
}

/// A process that wrote to it, or that made the holder, was gone when the wait began.  One that
/// made the reader, too, gave each its end; and a command that the holder ran had the holder's
/// output, unless the reader is another of its commands.
bool others_were_gone(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel,
                      Pid holder)
{
    const std::uint64_t soon_ns = wait.start_ns + wait.length_ns() / 4;
    const auto gone = [&](Pid pid) {
        const LifeRow* life = graph.life(pid);
        return pid != holder && life != nullptr && life->exit_ns != 0 &&
               life->exit_ns <= soon_ns;
    };
    const auto wrote_for_holder = [&](Pid writer) {
        return channel.is_pipe() && graph.branch(writer, holder) != nullptr &&
               graph.branch(wait.process.tgid, holder) == nullptr;
    };
    const bool writer_gone = std::ranges::any_of(channel.writers, [&](const ChannelEnd& end) {
        return !end.holds_only && gone(end.task.tgid) && !wrote_for_holder(end.task.tgid);
    });
    // A pipe comes from who made its holder; a socket may be its own, accepted or connected.
    const LifeRow* life = channel.is_pipe() ? graph.life(holder) : nullptr;
    const LifeRow* reader = graph.life(wait.process.tgid);
    const bool made_both = life != nullptr && reader != nullptr && life->ppid == reader->ppid;
    return writer_gone || (life != nullptr && !made_both && gone(life->ppid));
}

/// Another child of the holder lived for most of the wait: a shell's command, say, which has
/// its output, too.
bool had_child(const WaitGraph& graph, const LongWait& wait, Pid holder)
{
    return std::ranges::any_of(graph.report().lives, [&](const LifeRow& life) {
        const std::uint64_t end_ns = life.exit_ns == 0 ? UINT64_MAX : life.exit_ns;
        return life.ppid == holder && life.process.tgid != wait.process.tgid &&
               life.born_ns < wait.end_ns && end_ns > wait.start_ns + wait.length_ns() / 4;
    });
}

/// The holders are left over from others that are gone, or the reader's only thread is the
/// holder: none is a writer that has nothing to write yet.
bool are_left_over(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel,
                   const HeldBy& held)
{
    const auto left_over = [&](const ChannelEnd* end) {
        return others_were_gone(graph, wait, channel, end->task.tgid) &&
               !(channel.is_pipe() && had_child(graph, wait, end->task.tgid));
    };
    // What an older process wrote to its own pipe before the trace is not known.
    const bool waits_for_itself = holds_itself(wait, held) &&
                                  born_in_trace(graph, wait.process.tgid) &&
                                  graph.threads(wait.process.tgid) <= 1;
    return waits_for_itself || std::ranges::all_of(held.ends, left_over);
}

/// The wait ended as the last holder went, which never wrote.
bool came_late(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel)
{
    if (wait.ended != LongWait::Ended::end_of_file || wait.waker.tid == 0 ||
        wait.waker.tgid == wait.process.tgid || !graph.complete()) {
        return false;
    }
    const bool wrote = std::ranges::any_of(channel.writers, [&](const ChannelEnd& end) {
        return end.task.tgid == wait.waker.tgid && !end.holds_only;
    });
    // Until then a process that writes may only have been slow.
    const bool last_wrote = std::ranges::any_of(channel.writers, [&](const ChannelEnd& end) {
        const LifeRow* life = graph.life(end.task.tgid);
        return !end.holds_only && (life == nullptr || life->exit_ns == 0 ||
                                   life->exit_ns > wait.start_ns + wait.length_ns() / 4);
    });
    return !wrote && !last_wrote && !had_child(graph, wait, wait.waker.tgid) &&
           others_were_gone(graph, wait, channel, wait.waker.tgid);
}

}  // namespace

void find_held_ends(WaitGraph& graph, Findings& findings)
{
    for (const LongWait& wait : graph.waits()) {
        const ChannelRow* channel = graph.channel(wait.channel);
        if (channel == nullptr || !has_end_of_file(*channel) || wait.output || graph.explained(wait) ||
            wait.length_ns() < kThresholds.held_open_ns) {
            continue;
        }
        if (wait.ended == LongWait::Ended::unfinished || wait.is_broken_off()) {
            // Any process can open a FIFO by its name: some keep it open to have no end of file.
            if (channel->type == decode::ObjectType::fifo) {
                continue;
            }
            const HeldBy held = graph.held_by(*channel, false, wait.end_ns);
            if (never_wrote(held) && are_left_over(graph, wait, *channel, held)) {
                graph.explain(wait);
                findings.push_back(never_came(graph, wait, *channel, held));
            }
        } else if (came_late(graph, wait, *channel)) {
            graph.explain(wait);
            const LifeRow* life = graph.life(wait.waker.tgid);
            const decode::Task holder = life != nullptr ? life->process : wait.waker;
            graph.accuse(holder.tgid);
            findings.push_back(held_open(
                wait, *channel,
                fmt::format("{} waited {} for end of file from {}: only {} still held its {}, and "
                            "never {}.",
                            waiter(graph, wait), time(wait.length_ns()), which(*channel),
                            who(holder), words(*channel).put.end, words(*channel).put.did)));
            findings.back().severity = Severity::warning;   // it came at last
            findings.back().subjects.push_back({holder, "holder"});
        }
    }
}

}  // namespace ipcscope::diagnose
