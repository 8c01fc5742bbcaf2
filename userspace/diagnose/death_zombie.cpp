// SPDX-License-Identifier: GPL-2.0-only
// Processes that have ended and are not reaped.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_story.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;
using aggregate::LifeRow;
using aggregate::Report;
using aggregate::ThreadLook;
using decode::State;

std::string its_parent(const Death& death)
{
    return death.parent.tgid == 0 ? "its parent" : "its parent " + who(death.parent);
}

const ThreadLook* zombie_look(const Death& death)
{
    const auto found = std::ranges::find_if(death.looks, [](const ThreadLook& look) {
        return look.state == State::zombie && look.threads <= 1;
    });
    return found == death.looks.end() ? nullptr : &*found;
}

/// A zombie's look while another process than its parent traced it: that one is to reap
/// it first.
const ThreadLook* held_by_debugger(const Death& death)
{
    const auto found = std::ranges::find_if(death.looks, [&](const ThreadLook& look) {
        return look.state == State::zombie && look.tracer.tgid != 0 &&
               look.tracer.tgid != death.parent.tgid;
    });
    return found == death.looks.end() ? nullptr : &*found;
}

/// When its parent exited, where it had not reaped it.
std::optional<std::uint64_t> parent_left(const Report& report, const Death& death)
{
    const auto found = std::ranges::find(report.lives, death.parent.tgid,
                                         [](const LifeRow& life) { return life.process.tgid; });
    const bool left = death.orphaned || !death.reaped_ns;
    if (!left || death.parent.tgid == 0 || found == report.lives.end() || found->exit_ns == 0) {
        return std::nullopt;
    }
    return found->exit_ns;
}

/// ", which was stopped by SIGSTOP from 7 (a) for 1.9 s of that"
std::string parent_stopped(const Report& report, const Death& death, std::uint64_t until_ns)
{
    const std::uint64_t from_ns = death.gone_ns.value_or(until_ns);
    for (const aggregate::StopRow& stop : report.stops) {
        const std::uint64_t ns =
            since(std::min(stop.end_ns, until_ns), std::max(stop.start_ns, from_ns));
        if (stop.process.tgid != death.parent.tgid || death.parent.tgid == 0 ||
            !at_least(ns, since(until_ns, from_ns), 1, 2)) {
            continue;
        }
        const std::string signal = stop.stopped_by ? " by " + by(*stop.stopped_by, stop.process) : "";
        return stop.state == State::stopped
            ? fmt::format(": it was stopped{} for {} of that", signal, time(ns)) : "";
    }
    return "";
}

}  // namespace

bool was_zombie(const Death& death, const DeathSend& send)
{
    if (death.gone_ns) {
        return *death.gone_ns <= send.first_ns;
    }
    const ThreadLook* look = zombie_look(death);
    return look != nullptr && send.target_state == State::zombie;
}

std::uint64_t zombie_until(const Report& report, const Death& death)
{
    if (death.reaped_ns) {
        return death.unreaped_ns;
    }
    // Of a process that is not traced its end, and nothing later, may be recorded.
    return death.traced ? report.end_ns : death.alive_ns;
}

bool tell_zombie(Story& story)
{
    const Death& death = story.death;
    const std::uint64_t until = zombie_until(story.report, death);
    if (since(until, story.send.first_ns) < kThresholds.slow_death_ns) {
        return false;
    }
    const ThreadLook* look = zombie_look(death);
    std::string exited = "had exited before the trace";
    if (death.gone_ns) {
        exited = "exited " + at(story.report, *death.gone_ns);
    }
    std::optional<std::int32_t> code = death.exit_code;
    if (!code && look != nullptr) {
        code = look->exit_code;
    }
    if (code && decode::ended_by(*code) == 0) {
        exited += fmt::format(" with status {}", decode::exit_status(*code));
    } else if (code) {
        exited += fmt::format(", ended by {}", decode::signal_name(decode::ended_by(*code)));
    }
    Finding& made = story.made;
    made = finding(Code::zombie, "");
    std::string reaped = "has not reaped it";
    const ThreadLook* held = held_by_debugger(death);
    const auto left = parent_left(story.report, death);
    if (held == nullptr && left) {
        reaped = fmt::format("never did reap it, but exited {}", at(story.report, *left));
    } else if (death.reaped_ns) {
        reaped = fmt::format("did not reap it for at least {}",
                             time(since(until, death.gone_ns.value_or(story.send.first_ns))));
    }
    made.text = fmt::format("{} can do nothing: it is a zombie, which {}, and {} {}.",
                            head(story), exited,
                            held ? "its debugger " + who(held->tracer) : its_parent(death), reaped);
    made.severity = death.reaped_ns ? Severity::warning : Severity::error;
    made.at_ns = death.gone_ns.value_or(story.send.first_ns);
    made.duration_ns = since(until, made.at_ns);
    made.evidence.push_back({"zombie_ns", made.duration_ns});
    made.advice = held ? "End or detach the debugger: its parent can reap it then."
                       : "Only its parent can remove it, by wait(); or the parent's end.";
    return true;
}

std::string reaping(const Story& story)
{
    const Death& death = story.death;
    if (!death.gone_ns || death.parent.comm == Comm("ipcscope")) {
        return "";
    }
    const std::uint64_t zombie = since(zombie_until(story.report, death), *death.gone_ns);
    if (zombie < kThresholds.slow_death_ns) {
        return "";
    }
    std::string parent = its_parent(death);
    parent.front() = 'I';
    if (const ThreadLook* held = held_by_debugger(death)) {
        parent = "Its debugger " + who(held->tracer);
    } else if (const auto left = parent_left(story.report, death)) {
        return fmt::format(" {} never did reap it, but exited {}.", parent,
                           at(story.report, *left));
    }
    const std::string why =
        parent_stopped(story.report, death, zombie_until(story.report, death));
    if (death.reaped_ns) {
        return fmt::format(" {} did not reap it for at least another {}{}.", parent, time(zombie),
                           why);
    }
    return fmt::format(" {} has not reaped it since{}.", parent, why);
}

bool tell_reaping(Story& story)
{
    const std::string text = reaping(story);
    if (text.empty()) {
        return false;
    }
    const Death& death = story.death;
    const unsigned ended_by = death.exit_code ? decode::ended_by(*death.exit_code) : 0;
    const bool by_itself = death.exit_code && ended_by != story.send.signal;
    story.made = finding(death.reaped_ns ? Code::slow_reap : Code::zombie,
                         fmt::format("{}{} within {}.{}", head(story),
                                     by_itself ? ": it exited" : " ended it",
                                     time(story.lasted_ns), text));
    story.made.at_ns = *death.gone_ns;
    story.made.duration_ns = since(zombie_until(story.report, death), *death.gone_ns);
    story.made.evidence.push_back({"zombie_ns", story.made.duration_ns});
    if (death.reaped_ns && story.made.duration_ns < kThresholds.slow_reap_ns) {
        story.made.severity = Severity::note;   // the parent may wait for a CPU only
    }
    return true;
}

}  // namespace ipcscope::diagnose
