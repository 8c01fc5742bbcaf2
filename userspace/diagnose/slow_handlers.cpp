// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/slow_handlers.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/deaths.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Blocking;
using aggregate::SignalRow;
using aggregate::SignalWait;

std::uint64_t waited_ns(const aggregate::Report& report, const SignalWait& wait)
{
    return since(wait.ended_ns == 0 ? report.end_ns : wait.ended_ns, wait.generated_ns);
}

/// Of the wait, the part in which the handler ran.
std::uint64_t in_handler_ns(const aggregate::Report& report, const SignalWait& wait)
{
    return aggregate::in_handler_ns(wait, wait.ended_ns == 0 ? report.end_ns : wait.ended_ns);
}

bool is_for_handler(const aggregate::Report& report, const std::optional<SignalWait>& wait,
                    std::uint64_t least_ns)
{
    return wait && wait->blocking && wait->blocking->by == Blocking::By::handler &&
           waited_ns(report, *wait) >= least_ns &&
           at_least(in_handler_ns(report, *wait), waited_ns(report, *wait), 1, 2);
}

/// All sends of one signal to one process that waited for a handler.
struct Waits {
    const SignalRow* row = nullptr;      ///< that with the longest wait
    const SignalWait* longest = nullptr;
    std::set<std::uint32_t> senders;
    std::uint64_t sent = 0;
    std::uint64_t merged = 0;
};

const aggregate::HandlerRow* handler_of(const aggregate::Report& report, const Waits& waits)
{
    const auto found = std::ranges::find_if(report.handlers, [&](const auto& handler) {
        return handler.task.tgid == waits.row->target.tgid &&
               handler.signal == waits.longest->blocking->handler;
    });
    return found == report.handlers.end() ? nullptr : &*found;
}

/// "; of 5 runs of that handler the median took 300 ms, the longest 400 ms"
std::string runs(const aggregate::HandlerRow* handler)
{
    if (handler == nullptr || handler->time.count() < 2) {
        return "";
    }
    return fmt::format("; of {} runs of that handler the median took {}, the longest {}",
                       grouped(handler->time.count()), time(handler->time.quantile(0.5)),
                       time(handler->time.max()));
}

std::string from(const Waits& waits)
{
    if (waits.senders.size() > 1) {
        return fmt::format("{} senders", grouped(waits.senders.size()));
    }
    return sender(waits.row->sender, waits.row->origin);
}

std::string sentence(const aggregate::Report& report, const Waits& waits)
{
    const SignalWait& wait = *waits.longest;
    const std::string handler = decode::signal_name(wait.blocking->handler);
    std::string text =
        fmt::format("{} from {} to {} ", decode::signal_name(waits.row->signal), from(waits),
                    who(waits.row->target));
    text += wait.ended_ns == 0
        ? fmt::format("was still pending when the trace ended, {} after it was sent",
                      time(waited_ns(report, wait)))
        : fmt::format("took {} to arrive", time(waited_ns(report, wait)));
    text += fmt::format(": for {} of that the receiver was in its handler of {}, which {}",
                        time(in_handler_ns(report, wait)), handler,
                        wait.blocking->handler == waits.row->signal ? "blocks it meanwhile"
                                                                    : "blocks it, too");
    text += runs(handler_of(report, waits));
    if (waits.merged != 0) {
        text += fmt::format("; {} of {} merged with one that was pending", grouped(waits.merged),
                            grouped(waits.sent));
    }
    return text + ".";
}

Finding made(const aggregate::Report& report, const Waits& waits)
{
    Finding out = finding(Code::slow_handler, sentence(report, waits));
    out.subjects.push_back({waits.row->target, "target"});
    if (waits.senders.size() == 1 && waits.row->origin == decode::Origin::task) {
        out.subjects.push_back({waits.row->sender, "sender"});
    }
    out.at_ns = waits.longest->generated_ns;
    out.duration_ns = waited_ns(report, *waits.longest);
    out.evidence = {{"signal", decode::signal_name(waits.row->signal)},
                    {"sent", waits.sent},
                    {"longest_ns", out.duration_ns},
                    {"handler", decode::signal_name(waits.longest->blocking->handler)},
                    {"in_handler_ns", in_handler_ns(report, *waits.longest)}};
    if (const auto* handler = handler_of(report, waits)) {
        out.evidence.push_back({"runs", handler->count()});
        out.evidence.push_back({"handler_ns", handler->time.sum()});
    }
    out.advice = "Let the handler note the signal and return, and do the work elsewhere: after "
                 "sigwait(), or in a loop that reads a signalfd.";
    return out;
}

}  // namespace

const SignalWait* handler_wait(const aggregate::Report& report, const SignalRow& row)
{
    if (is_for_handler(report, row.longest, kThresholds.late_ns)) {
        return &*row.longest;
    }
    return is_for_handler(report, row.still_pending, kThresholds.still_pending_ns)
               ? &*row.still_pending
               : nullptr;
}

void find_slow_handlers(const aggregate::Report& report, Findings& findings)
{
    std::map<std::pair<std::uint32_t, unsigned>, Waits> targets;
    for (const SignalRow& row : report.signals) {
        const SignalWait* wait = handler_wait(report, row);
        if (wait == nullptr || has_story(report, row.target.tgid, row.signal)) {
            continue;
        }
        Waits& all = targets[{row.target.tgid, row.signal}];
        if (all.longest == nullptr || waited_ns(report, *wait) > waited_ns(report, *all.longest)) {
            all.row = &row;
            all.longest = wait;
        }
    }
    for (const SignalRow& row : report.signals) {
        if (const auto found = targets.find({row.target.tgid, row.signal});
            found != targets.end()) {
            found->second.senders.insert(row.sender.tgid);
            found->second.sent = plus(found->second.sent, sent(row));
            found->second.merged =
                plus(found->second.merged, row.at(decode::Outcome::already_pending));
        }
    }
    for (const auto& [target, waits] : targets) {
        findings.push_back(made(report, waits));
    }
}

}  // namespace ipcscope::diagnose
