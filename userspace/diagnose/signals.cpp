// SPDX-License-Identifier: GPL-2.0-only
// Signals that never arrived, arrived late, or arrived as one of many.
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/deaths.hpp"
#include "diagnose/kinds.hpp"
#include "diagnose/masks.hpp"
#include "diagnose/slow_handlers.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::End;
using aggregate::SignalRow;
using aggregate::SignalWait;
using decode::Outcome;

/// "SIGUSR1 from 5 (a) to 6 (b)"
std::string which(const SignalRow& row)
{
    if (row.origin == decode::Origin::task && row.sender.tgid == row.target.tgid) {
        return fmt::format("{} of {} to itself", decode::signal_name(row.signal),
                           who(row.target));   // raise(), or one of its threads to another
    }
    return fmt::format("{} from {} to {}", decode::signal_name(row.signal),
                       sender(row.sender, row.origin), who(row.target));
}

Finding of_row(Code code, const SignalRow& row, std::string text)
{
    Finding made = finding(code, std::move(text));
    made.subjects.push_back({row.target, "target"});
    if (row.origin == decode::Origin::task) {
        made.subjects.push_back({row.sender, "sender"});
    }
    made.at_ns = row.first_ns;
    made.evidence = {{"signal", decode::signal_name(row.signal)}, {"sent", sent(row)}};
    return made;
}

void find_overflow(const SignalRow& row, Findings& findings)
{
    if (const std::uint64_t lost = row.at(Outcome::overflow); lost != 0) {
        findings.push_back(of_row(
            Code::signal_overflow, row,
            fmt::format("{}: {} of {} were lost by the kernel, because the queue of pending "
                        "signals was full (RLIMIT_SIGPENDING of the receiver's user).",
                        which(row), grouped(lost), grouped(sent(row)))));
        findings.back().evidence.push_back({"lost", lost});
    }
    if (const std::uint64_t bare = row.at(Outcome::info_lost); bare != 0) {
        findings.push_back(of_row(
            Code::signal_info_lost, row,
            fmt::format("{}: {} of {} came without their siginfo, because the queue of pending "
                        "signals was full.",
                        which(row), grouped(bare), grouped(sent(row)))));
        findings.back().evidence.push_back({"without_siginfo", bare});
    }
}

/// A wait that matters to the receiver: not of what it ignores unless it asks for it, as
/// a shell that blocks SIGCHLD for a moment; not of what should end it, which has a
/// finding of its own.
bool may_be_late(const aggregate::Report& report, const SignalRow& row)
{
    return row.signal >= 1 && row.signal <= 64 &&
           (IPCSCOPE_SIG_BIT(row.signal) & IPCSCOPE_DEFAULT_IGNORED) == 0 &&
           !has_story(report, row.target.tgid, row.signal);
}

struct Cause {
    Code code{};
    std::string text;      ///< "the receiver was frozen"; "" where nothing is known
    std::uint64_t ns = 0;
};

std::string stopped(const aggregate::Hindrance& kept)
{
    std::string text = "the receiver was stopped";
    if (kept.stop) {
        text += fmt::format(" by {} from {}", decode::signal_name(kept.stop->signal),
                            sender(kept.stop->sender, kept.stop->origin,
                                   kept.stop->terminal));
        if (kept.stop->continued_ns != 0) {
            text += " until SIGCONT from " +
                    sender(kept.stop->continuer, kept.stop->continued_by);
        }
    }
    return text;
}

/// "the receiver", or its thread to which alone the signal was sent
std::string receiver(const SignalWait& wait)
{
    return wait.thread.tid == 0
        ? "the receiver"
        : fmt::format("its {}, to which alone it was sent,", thread_who(wait.thread));
}

/// What the records say that it waited for, the longest.
Cause cause_of(const aggregate::Report& report, const SignalWait& wait, Code otherwise)
{
    const aggregate::Hindrance& kept = wait.hindrance;
    const std::uint64_t ended_ns = wait.ended_ns == 0 ? report.end_ns : wait.ended_ns;
    const bool starved = at_least(kept.runnable_ns, since(ended_ns, wait.generated_ns), 1, 2);
    Cause causes[] = {
        {Code::target_starved, receiver(wait) + " waited for a CPU",
         starved ? kept.runnable_ns : 0},
        {Code::target_stopped, stopped(kept), kept.stopped_ns},
        {Code::target_frozen, "the receiver was frozen", kept.frozen_ns},
        {Code::target_traced, "a debugger held the receiver", kept.traced_ns},
        {otherwise, receiver(wait) + " slept in D", kept.uninterruptible_ns},
        {otherwise, receiver(wait) + " slept in K", kept.killable_ns},
    };
    Cause& longest = *std::ranges::max_element(causes, {}, &Cause::ns);
    if (longest.ns >= kThresholds.worth_telling_ns) {
        return longest;
    }
    if (!wait.blocked) {
        return {otherwise, "", 0};
    }
    std::string text = receiver(wait) + " blocked it";
    if (wait.blocking) {
        text += blocked_by(report, *wait.blocking) + ",";
    }
    return {otherwise, std::move(text), 0};
}

/// Of the receiver, by HeldBy.
constexpr std::array<std::string_view, aggregate::kHeldBy> kWhile{
    "while it was stopped",      "while it was frozen", "while a debugger held it",
    "while it slept in D",       "while it slept in K", "while it waited for a CPU",
    "while its handler ran, which blocks them", "while it had them blocked",
    "for what no record says",
};

/// " Of 9,000 that took 5.00 ms or more 8,990 waited while it was stopped, 10 …"; "" of one.
std::string held(const SignalRow& row)
{
    const std::uint64_t all = std::accumulate(row.held.begin(), row.held.end(), std::uint64_t{0});
    if (all < 2) {
        return "";
    }
    std::vector<std::size_t> order(aggregate::kHeldBy);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t at) { return row.held[at]; });
    std::string text;
    for (const std::size_t at : order) {
        if (row.held[at] != 0) {
            text += fmt::format("{}{}{} {}", text.empty() ? "" : ", ", grouped(row.held[at]),
                                text.empty() ? " waited" : "", kWhile[at]);
        }
    }
    return fmt::format(" Of {} that took {} or more {}.", grouped(all), time(IPCSCOPE_SLICE_NS),
                       text);
}

void find_late(const aggregate::Report& report, const SignalRow& row, Findings& findings)
{
    if (row.latency.max() < kThresholds.late_ns || !row.longest) {
        return;
    }
    std::string text = fmt::format("{} took {} to arrive", which(row), time(row.latency.max()));
    if (row.latency.count() > 1) {
        text += fmt::format(" (the longest of {}; median {})", grouped(row.latency.count()),
                            time(row.latency.quantile(0.5)));
    }
    const Cause cause = cause_of(report, *row.longest, Code::signal_late);
    if (!cause.text.empty()) {
        text += fmt::format(": {}{}", cause.text,
                            cause.ns != 0 ? fmt::format(" for {} of that", time(cause.ns))
                                          : " until then");
    }
    findings.push_back(of_row(cause.code, row, text + "." + held(row)));
    findings.back().at_ns = row.longest->generated_ns;
    findings.back().duration_ns = row.latency.max();
    findings.back().evidence.push_back({"longest_ns", row.latency.max()});
}

void find_pending(const aggregate::Report& report, const SignalRow& row, Findings& findings)
{
    const std::uint64_t pending = row.at(End::pending);
    if (pending == 0 || !row.still_pending) {
        return;
    }
    const std::uint64_t waited = since(report.end_ns, row.still_pending->generated_ns);
    if (waited < kThresholds.still_pending_ns) {
        return;
    }
    Cause cause = cause_of(report, *row.still_pending, Code::signal_pending);
    if (cause.text.ends_with(',')) {
        cause.text.pop_back();
    }
    std::string text = fmt::format("{}: {} still pending when the trace ended, {} after {} sent",
                                   which(row), counted(pending, "was", "were"), time(waited),
                                   pending == 1 ? "it was" : "the first was");
    if (!cause.text.empty()) {
        text += ": " + cause.text;
    }
    findings.push_back(of_row(cause.code, row, text + "."));
    findings.back().at_ns = row.still_pending->generated_ns;
    findings.back().duration_ns = waited;
    findings.back().evidence.push_back({"pending", pending});
}

/// All sends of one signal to one process.
struct Merged {
    const SignalRow* first = nullptr;
    std::set<std::uint32_t> senders;
    std::uint64_t merged = 0;
    std::uint64_t sent = 0;
    bool for_handler = false;   ///< they waited for one: that finding has them
};

Finding merged_finding(const Merged& all, std::string more)
{
    const SignalRow& row = *all.first;
    const std::string name = decode::signal_name(row.signal);
    const std::string from = all.senders.size() > 1
        ? fmt::format("{} senders", grouped(all.senders.size()))
        : sender(row.sender, row.origin);
    Finding made = of_row(Code::signal_merged, row,
                          fmt::format("{} of {} {} from {} to {} merged into one that was already "
                                      "pending{}.",
                                      grouped(all.merged), grouped(all.sent), name, from,
                                      who(row.target), more));
    if (all.senders.size() > 1) {
        made.subjects.resize(1);
    }
    made.evidence = {{"signal", name},
                     {"sent", all.sent},
                     {"merged", all.merged},
                     {"senders", std::uint64_t{all.senders.size()}}};
    return made;
}

/// A SIGCHLD that merges is lost only on a parent that reaps one child for each.
void find_merged_children(const aggregate::Report& report, const Merged& all, Findings& findings)
{
    for (const aggregate::Unreaped& left : report.unreaped) {
        if (left.parent.tgid != all.first->target.tgid) {
            continue;
        }
        std::uint64_t count = 0, longest_ns = 0;
        for (const aggregate::Unreaped::Child& child : left.children) {
            count += child.left_ns >= kThresholds.unreaped_ns;
            longest_ns = std::max(longest_ns, child.left_ns);
        }
        if (count == 0) {
            continue;
        }
        findings.push_back(merged_finding(
            all, fmt::format(", and {} unreaped after it, for {} and more",
                             counted(count, "child was left", "children were left"),
                             time(kThresholds.unreaped_ns))));
        findings.back().duration_ns = longest_ns;
        findings.back().evidence.push_back({"unreaped", count});
        findings.back().advice =
            "One SIGCHLD may stand for several children: call waitpid(-1, …, WNOHANG) until it "
            "returns 0.";
    }
}

void find_merged(const aggregate::Report& report, Findings& findings)
{
    std::map<std::pair<std::uint32_t, unsigned>, Merged> targets;
    for (const SignalRow& row : report.signals) {
        Merged& all = targets[{row.target.tgid, row.signal}];
        all.first = all.first == nullptr ? &row : all.first;
        all.senders.insert(row.sender.tgid);
        all.merged = plus(all.merged, row.at(Outcome::already_pending));
        all.sent = plus(all.sent, sent(row));
        all.for_handler = all.for_handler || handler_wait(report, row) != nullptr;
    }
    for (const auto& [target, all] : targets) {
        if (all.merged == 0) {
            continue;
        }
        if (target.second == IPCSCOPE_SIGCHLD) {
            find_merged_children(report, all, findings);
        } else if (!all.for_handler && all.merged >= kThresholds.many_merged && at_least(all.merged, all.sent, 1, 2) &&
                   !has_story(report, target.first, target.second)) {
            findings.push_back(merged_finding(all, ""));
            findings.back().advice =
                "Where each counts, queue real-time signals (SIGRTMIN and up) instead.";
        }
    }
}

}  // namespace

void find_bad_signals(const aggregate::Report& report, Findings& findings)
{
    for (const SignalRow& row : report.signals) {
        find_overflow(row, findings);
        if (may_be_late(report, row)) {
            if (handler_wait(report, row) != nullptr) {
                continue;   // its finding is of all senders
            }
            find_late(report, row, findings);
            find_pending(report, row, findings);
        }
    }
    find_slow_handlers(report, findings);
    find_merged(report, findings);
}

}  // namespace ipcscope::diagnose
