// SPDX-License-Identifier: GPL-2.0-only
// Why did kill -9 take so long, why did the stop wait for its timeout?
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "decode/decode.hpp"
#include "render/names.hpp"
#include "render/text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::SignalRow;
using correlate::KillInterval;

// The traced kernel's numbers, whatever the libc of this program says.
constexpr unsigned kSighup = 1;
constexpr unsigned kSigint = 2;
constexpr unsigned kSigquit = 3;
constexpr unsigned kSigkill = 9;
constexpr unsigned kSigterm = 15;
constexpr unsigned kSigstop = 19;

constexpr std::uint64_t kSlowDeath_ns = 100'000'000;
constexpr std::uint64_t kEscalation_ns = 1'000'000'000;
constexpr std::size_t kShownKills = 3;
constexpr std::size_t kShownFrames = 8;
constexpr std::size_t kShownIgnored = 5;

/// How long the target outlived the signal, as far as the trace saw it.
std::uint64_t outlived_ns(const Page& page, const KillInterval& kill)
{
    if (const auto died = kill.time_to_die_ns()) return *died;
    const std::uint64_t end = kill.trace_end_ns != 0 ? kill.trace_end_ns
                                                     : page.report.end_ns;
    return since(end, kill.sent_ns);
}

std::string found_in(const KillInterval& kill)
{
    std::string what = who(kill.target);
    if (kill.stuck_threads > 1)
        what = fmt::format("{} of {}", counted(kill.stuck_threads, "thread", "threads"), what);
    else if (kill.target.tid != kill.target.tgid)
        what = fmt::format("thread {} of {}", kill.target.tid, what);
    if (kill.state == decode::State::killable)
        return what + " in killable sleep (K), which a fatal signal should end at once.";
    return what + " in uninterruptible sleep (D).";
}

std::string what_became_of_it(const Page& page, const KillInterval& kill)
{
    const std::string after = glued(page.style.time(outlived_ns(page, kill)));
    std::string text = kill.gone_ns
        ? fmt::format("It was gone {} later", after)
        : fmt::format("It was still there {} later, when the trace ended", after);
    if (kill.repeats != 0)
        text += fmt::format("; killed {} meanwhile",
                            counted(kill.repeats, "more time", "more times"));
    text += '.';
    if (!kill.gone_ns) return text;
    const std::uint64_t zombie_until = kill.reaped_ns.value_or(page.report.end_ns);
    const std::uint64_t zombie_ns = since(zombie_until, *kill.gone_ns);
    if (kill.reaped_ns && zombie_ns >= kSlowDeath_ns)
        text += fmt::format(" Its parent took another {} to reap it.",
                            glued(page.style.time(zombie_ns)));
    return text;
}

std::vector<std::string> shown_stack(const Page& page, const KillInterval& kill)
{
    std::vector<std::string> lines = kill.stack;
    if (lines.size() <= kShownFrames) return lines;
    lines.resize(kShownFrames - 1);
    lines.push_back(fmt::format("{} {} more", page.style.dots(),
                                kill.stack.size() - lines.size()));
    return lines;
}

Finding kill_finding(const Page& page, const KillInterval& kill,
                     const KillInterval* before)
{
    Finding finding;
    finding.alarming = !kill.gone_ns;
    finding.text = fmt::format("{} from {} found {} {}", decode::signal_name(kill.signal),
                               sender(kill.sender, kill.origin), found_in(kill),
                               what_became_of_it(page, kill));
    if (kill.stack.empty()) {
        finding.text += " Its kernel stack is not known.";
    } else if (before != nullptr && before->stack == kill.stack) {
        finding.text += " Stuck in the same place.";
    } else {
        finding.text += " Stuck in:";
        finding.stack = shown_stack(page, kill);
    }
    return finding;
}

/// Kills that took long, the longest first; those that never ended before all.
std::vector<const KillInterval*> slow_kills(const Page& page)
{
    std::vector<const KillInterval*> slow;
    for (const KillInterval& kill : page.report.kills)
        if (!kill.gone_ns || outlived_ns(page, kill) >= kSlowDeath_ns)
            slow.push_back(&kill);
    std::ranges::stable_sort(slow, [&](const KillInterval* a, const KillInterval* b) {
        if (a->gone_ns.has_value() != b->gone_ns.has_value()) return !a->gone_ns;
        return outlived_ns(page, *a) > outlived_ns(page, *b);
    });
    return slow;
}

std::uint64_t outcome(const SignalRow& row, unsigned result) { return row.outcomes[result]; }

/// The first SIGKILL to the same process after the row's first signal.
const SignalRow* sigkill_after(const Page& page, const SignalRow& row)
{
    const SignalRow* found = nullptr;
    for (const SignalRow& other : page.report.signals) {
        if (other.signal != kSigkill || row.target.tgid == 0 ||
            other.target.tgid != row.target.tgid || other.first_ns < row.first_ns ||
            outcome(other, IPCSCOPE_RESULT_DELIVERED) == 0)
            continue;
        if (found == nullptr || other.first_ns < found->first_ns) found = &other;
    }
    return found;
}

bool asks_to_end(unsigned signal)
{
    return signal == kSigterm || signal == kSigint || signal == kSighup || signal == kSigquit;
}

std::string why_it_lived(const SignalRow& row)
{
    if (row.to_unkillable != 0) {
        const std::string init = fmt::format(
            "was ignored {}: {} is the init of its pid namespace",
            counted(row.to_unkillable, "time", "times"), row.target.tgid);
        // Nothing can handle these two: they only work from outside.
        if (row.signal == kSigkill || row.signal == kSigstop)
            return init + ", which no process inside it can kill or stop.";
        return init + " and has no handler for it.";
    }
    if (row.to_handler != 0) return "ran its handler, but the process did not end.";
    if (outcome(row, IPCSCOPE_RESULT_IGNORED) != 0) return "was ignored.";
    return "was not taken: it was blocked, or the process did not run.";
}

std::string followed_by(const Page& page, const SignalRow& row, const SignalRow& kill)
{
    std::string from;
    if (kill.sender.tgid != row.sender.tgid || kill.origin != row.origin)
        from = " from " + sender(kill.sender, kill.origin);
    return fmt::format(" SIGKILL{} {} {} later.", from,
                       kill.died != 0 ? "ended it" : "followed",
                       glued(page.style.time(since(kill.first_ns, row.first_ns))));
}

}  // namespace

void find_kills(const Page& page, Findings& findings)
{
    const auto slow = slow_kills(page);
    const std::size_t shown = std::min(slow.size(), kShownKills);
    for (std::size_t at = 0; at < shown; at++)
        findings.push_back(kill_finding(page, *slow[at], at > 0 ? slow[at - 1] : nullptr));
    if (slow.size() > shown)
        findings.push_back({fmt::format(
            "{} also took long (see Kills).",
            counted(slow.size() - shown, "more process", "more processes"))});

    const std::size_t quick = page.report.kills.size() - slow.size();
    if (quick == 0) return;
    std::uint64_t longest = 0;
    for (const KillInterval& kill : page.report.kills)
        if (kill.gone_ns && outlived_ns(page, kill) < kSlowDeath_ns)
            longest = std::max(longest, outlived_ns(page, kill));
    findings.push_back({fmt::format(
        "{} found the target in D or K sleep, and it was gone within {}.",
        counted(quick, slow.empty() ? "fatal signal" : "more fatal signal",
                slow.empty() ? "fatal signals" : "more fatal signals"),
        glued(page.style.time(longest)))});
}

void find_ignored(const Page& page, Findings& findings)
{
    struct Ignored {
        const SignalRow* row;
        const SignalRow* kill;
        std::uint64_t waited_ns;
    };
    std::vector<Ignored> ignored;
    for (const SignalRow& row : page.report.signals) {
        const SignalRow* kill = row.signal == kSigkill ? nullptr : sigkill_after(page, row);
        const std::uint64_t waited = kill ? since(kill->first_ns, row.first_ns) : 0;
        const bool outlived = asks_to_end(row.signal) && sent(row) != 0 && row.died == 0 &&
                              row.by_default == 0 && waited >= kEscalation_ns;
        if (row.to_unkillable != 0 || outlived) ignored.push_back({&row, kill, waited});
    }
    std::ranges::stable_sort(ignored, std::ranges::greater{}, &Ignored::waited_ns);
    const std::size_t shown = std::min(ignored.size(), kShownIgnored);
    for (std::size_t at = 0; at < shown; at++) {
        const auto& [row, kill, waited] = ignored[at];
        std::string text = fmt::format("{} from {} to {} {}", decode::signal_name(row->signal),
                                       sender(row->sender, row->origin), who(row->target),
                                       why_it_lived(*row));
        if (kill != nullptr) text += followed_by(page, *row, *kill);
        findings.push_back({std::move(text)});
    }
    if (ignored.size() > shown)
        findings.push_back({fmt::format(
            "{} had no effect in the same way (see Signals).",
            counted(ignored.size() - shown, "more kind of signal",
                    "more kinds of signals"))});
}

}  // namespace ipcscope::render
