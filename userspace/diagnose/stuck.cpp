// SPDX-License-Identifier: GPL-2.0-only
// Which read or write never returned?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/pipe_kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::PipeEndRow;
using aggregate::PipeRow;

/// "5 (sleep) alone holds the read end"
std::string holders(const LongWait& wait, const HeldBy& held)
{
    return fmt::format("{} {} the {} end", all_of(held.ends),
                       held.ends.size() == 1 ? "alone holds" : "hold",
                       wait.output ? "read" : "write");
}

constexpr std::uint64_t kGoing_ns = 100'000'000;

std::string_view call_name(aggregate::SleepRow::In in)
{
    using In = aggregate::SleepRow::In;
    switch (in) {
    case In::poll: return "poll()";
    case In::select: return "select()";
    case In::epoll_wait: return "epoll_wait()";
    case In::wait: break;
    }
    return "";
}

/// The only reader's sleep in poll, to the end of a wait for room: nullptr: it has none.
/// A pipe that is full can be read, so that a poll of it for input would have returned.
const aggregate::SleepRow* missed(const WaitGraph& graph, const LongWait& wait,
                                  const HeldBy& held)
{
    const PipeEndRow* reader = held.only();
    const std::uint64_t from_ns =
        std::max(wait.start_ns, since(wait.end_ns, kThresholds.stuck_ns));
    if (!wait.output || reader == nullptr || wait.length_ns() < kThresholds.stuck_ns) {
        return nullptr;
    }
    const aggregate::SleepRow* sleep =
        graph.asleep(reader->task.tgid, from_ns, since(wait.end_ns, kGoing_ns));
    return sleep != nullptr && sleep->in != aggregate::SleepRow::In::wait ? sleep : nullptr;
}

/// " 21 (server) slept in epoll_wait() for 1.7 s of that, though the pipe could be read: …"
std::string missed_text(const LongWait& wait, const PipeEndRow& reader,
                        const aggregate::SleepRow& sleep)
{
    const std::uint64_t ns = since(std::min(sleep.end_ns, wait.end_ns),
                                   std::max(sleep.start_ns, wait.start_ns));
    const bool epoll = sleep.in == aggregate::SleepRow::In::epoll_wait;
    return fmt::format(" {} slept in {} for {} of that, though the pipe could be read: {}.",
                       who(reader.task), call_name(sleep.in), time(ns),
                       epoll ? "it does not poll this pipe for input, or by EPOLLET, where what "
                               "was left unread is no new event"
                             : "it does not poll this pipe for input");
}

/// What the holders of the other end did: the reason as far as the records have it.
std::string partners(const WaitGraph& graph, const LongWait& wait, const HeldBy& held)
{
    if (!held.known) {
        return held.all
            ? fmt::format(" {}; what {} is not in the trace.", holders(wait, held),
                          held.ends.size() == 1 ? "it does" : "they do")
            : fmt::format(" What the processes at its {} end did is not in the trace.",
                          wait.output ? "read" : "write");
    }
    std::uint64_t last_ns = 0;
    for (const PipeEndRow* end : held.ends) {
        last_ns = std::max(last_ns, end->last_call_ns);
    }
    if (last_ns == 0) {
        return fmt::format(" {}, and {} not {} it in the trace.", holders(wait, held),
                           held.ends.size() == 1 ? "has" : "have",
                           wait.output ? "read from" : "written to");
    }
    return fmt::format(" {}, and last {} {} into the trace.", holders(wait, held),
                       wait.output ? "read from it" : "wrote to it", into_trace(graph, last_ns));
}

/// Much longer than any wait of that thread on that pipe that came to an end.
bool unusual(const WaitGraph& graph, const LongWait& wait)
{
    return graph.longest_over_ns(wait) < since(wait.end_ns, wait.start_ns) / 2;
}

/// A signal broke a write off for which no reader had come.
bool is_given_up(const LongWait& wait, const HeldBy& held)
{
    return wait.ended == LongWait::Ended::signal && wait.output && held.known &&
           std::ranges::all_of(held.ends, [&](const PipeEndRow* end) {
               return end->last_call_ns <= wait.start_ns;
           });
}

/// How the wait came to its end: by the writer's end, the reader's or the trace's.
std::string its_end(const WaitGraph& graph, const LongWait& wait)
{
    if (wait.ended == LongWait::Ended::unfinished) {
        return "the trace ended";
    }
    if (wait.ended == LongWait::Ended::broken) {
        return "its last reader was gone";
    }
    return decode::signal_name(killed_by(graph, wait)) + " ended it";
}

/// It never returned, or not before one of the two ended.
bool is_stuck(const WaitGraph& graph, const LongWait& wait, const HeldBy& held)
{
    switch (wait.ended) {
    case LongWait::Ended::unfinished: return unusual(graph, wait);
    case LongWait::Ended::broken: return missed(graph, wait, held) != nullptr;
    case LongWait::Ended::signal:
        return killed_by(graph, wait) != 0 &&
               (is_given_up(wait, held) || missed(graph, wait, held) != nullptr);
    case LongWait::Ended::woken:
    case LongWait::Ended::end_of_file: break;
    }
    return false;
}

Finding stuck(const WaitGraph& graph, const LongWait& wait, const PipeRow& pipe,
              const HeldBy& held)
{
    const std::uint64_t ns = wait.length_ns();
    const std::string when = wait.before_trace
        ? "since before the trace"
        : fmt::format("for {}", time(ns));
    Finding made = finding(
        wait.output ? Code::stuck_write : Code::stuck_read,
        fmt::format("{} had been blocked in a {} of {} {} when {}{}.", waiter(graph, wait),
                    wait.output ? "write" : "read", which(pipe), when,
                    its_end(graph, wait),
                    wait.output ? ": the pipe was full" : ""));
    if (wait.ended != LongWait::Ended::unfinished) {
        made.severity = Severity::warning;
    }
    made.text += partners(graph, wait, held);
    if (const aggregate::SleepRow* sleep = missed(graph, wait, held)) {
        made.text += missed_text(wait, *held.only(), *sleep);
        if (sleep->in == aggregate::SleepRow::In::epoll_wait) {
            made.advice = "With EPOLLET, read until EAGAIN before the next epoll_wait().";
        }
    }
    if (held.known || held.all) {
        for (const PipeEndRow* end : held.ends) {
            made.subjects.push_back({end->task, "holder"});
        }
    }
    made.subjects.insert(made.subjects.begin(), {wait.process, "waiter"});
    made.objects.push_back(object_of(pipe));
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
        const PipeRow* pipe = graph.pipe(wait.inode, wait.dev);
        if (pipe == nullptr || graph.explained(wait) ||
            (!wait.before_trace && wait.length_ns() < kThresholds.stuck_ns)) {
            continue;
        }
        const bool broken = wait.ended == LongWait::Ended::broken;
        const HeldBy held =
            graph.held_by(*pipe, wait.output, broken ? wait.start_ns : wait.end_ns);
        if (!is_stuck(graph, wait, held)) {
            continue;
        }
        if (broken) {
            graph.accuse(held.only()->task.tgid);
        }
        graph.explain(wait);
        findings.push_back(stuck(graph, wait, *pipe, held));
    }
}

}  // namespace ipcscope::diagnose
