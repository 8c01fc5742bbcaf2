// SPDX-License-Identifier: GPL-2.0-only
// Why a process lived on after a signal that should have ended it.
#include <algorithm>

#include <fmt/format.h>

#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_story.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/masks.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;
using aggregate::DeathTaking;
using aggregate::Hindrance;
using aggregate::ThreadLook;
using decode::How;
using decode::Outcome;
using decode::State;


/// The look that shows the thread in D, in the stay that took longest.
const ThreadLook* look_in_sleep(const Story& story)
{
    const Hindrance& kept = story.send.hindrance;
    for (const ThreadLook& look : story.death.looks) {
        const bool asleep = look.state == State::uninterruptible;
        const bool there = kept.sleeper_tid == 0 || (look.thread.tid == kept.sleeper_tid &&
                                                     look.at_ns >= kept.sleep_start_ns &&
                                                     look.at_ns <= kept.sleep_end_ns);
        if (asleep && there && look.at_ns >= story.send.first_ns) {
            return &look;
        }
    }
    return nullptr;
}

std::string stopped_by(const Story& story, const aggregate::Stop& stop)
{
    std::string text = fmt::format("had been stopped by {} from {} {}",
                                   decode::signal_name(stop.signal),
                                   sender_to(story.death.target, stop.sender, stop.origin,
                                             stop.terminal),
                                   at(story.report, stop.at_ns));
    if (stop.at_ns > story.send.first_ns) {
        text = "was" + text.substr(std::string_view("had been").size());
    }
    if (stop.continued_ns != 0) {
        text += fmt::format(", until SIGCONT from {} {}",
                            sender_to(story.death.target, stop.continuer, stop.continued_by),
                            at(story.report, stop.continued_ns));
    }
    return text;
}

std::string debugger_of(const Death& death)
{
    for (const ThreadLook& look : death.looks) {
        if (look.tracer.tgid != 0) {
            return "its debugger " + who(look.tracer);
        }
    }
    return "a debugger";
}

/// "thread 7 of it", where it has several.
std::string sleeper(const Death& death, std::uint32_t tid)
{
    return tid == 0 || tid == death.target.tgid ? "" : fmt::format("thread {} of it ", tid);
}

/// The innermost function of a stack that says something; "" where there is none.
std::string function_of(const ThreadLook* look, const Death& death)
{
    if (look != nullptr && !look->stack.empty()) {
        return function_name(look->stack);
    }
    if (look != nullptr && !look->wait_channel.empty()) {
        return look->wait_channel.str();
    }
    return death.found ? function_name(death.found->stack) : "";
}

std::optional<Reason> vfork_wait(const Story& story)
{
    std::uint64_t first = 0, last = 0;
    const ThreadLook* found = nullptr;
    for (const ThreadLook& look : story.death.looks) {
        if (look.vfork_child.tgid != 0 && look.at_ns >= story.send.first_ns) {
            first = first == 0 ? look.at_ns : first;
            last = look.at_ns;
            found = &look;
        }
    }
    if (found == nullptr) {
        return std::nullopt;
    }
    const Hindrance& kept = story.send.hindrance;
    const std::uint64_t slept = kept.uninterruptible_ns + kept.killable_ns;
    // A single look does not say for how long.
    const std::uint64_t ns = slept != 0 ? slept : since(last, first);
    if (ns == 0) {
        return std::nullopt;
    }
    return Reason{Code::kill_stuck, ns,
                  fmt::format("waited {} in vfork() for its child {}", time(ns),
                              who(found->vfork_child))};
}

/// In D or K, by the scheduler's records; where there are none, because its time is not
/// recorded or the stay goes on, by the looks.
std::optional<Reason> sleep_reason(Story& story)
{
    const Death& death = story.death;
    const Hindrance& kept = story.send.hindrance;
    std::uint64_t ns = kept.uninterruptible_ns + kept.killable_ns;
    const ThreadLook* look = look_in_sleep(story);
    if (ns == 0 && look != nullptr) {
        ns = story.lasted_ns;
    }
    if (ns == 0 || ns < story.lasted_ns / 20) {
        return std::nullopt;   // no reason for the rest of the time
    }
    const bool killable = kept.killable_ns > kept.uninterruptible_ns;
    const std::string function = function_of(look, death);
    const std::vector<SafeText>* stack = nullptr;
    if (look != nullptr && !look->stack.empty()) {
        stack = &look->stack;
    } else if (death.found && !death.found->stack.empty()) {
        stack = &death.found->stack;
    }
    if (stack != nullptr) {
        for (const SafeText& entry : *stack) {
            story.made.stack.push_back(entry.str());
        }
    }
    const std::string where = function.empty()
        ? ", in what is not known (its kernel stack could not be read)"
        : " in " + function;
    const char* before = story.send.target_state == State::interruptible ? "then slept" : "slept";
    return Reason{Code::kill_stuck, ns,
                  fmt::format("{}{} in {}{} for {}", sleeper(death, kept.sleeper_tid), before,
                              killable ? "K" : "D", where, time(ns))};
}

/// Looks show the signal pending, and each thread in which it is blocks it: one that does not
/// is kept from taking it by something else.
bool seen_blocked(const Story& story)
{
    const std::uint64_t bit = 1ull << (story.send.signal - 1);
    bool blocked = false;
    for (const ThreadLook& look : story.death.looks) {
        if (look.at_ns < story.send.first_ns || (look.pending & bit) == 0) {
            continue;
        }
        if ((look.blocked & bit) == 0) {
            return false;
        }
        blocked = true;
    }
    return blocked;
}

/// Who made the process: its parent, unless that has exited since; of one from before the trace,
/// its parent.
std::string maker(const Story& story)
{
    const auto life_of = [&](std::uint32_t tgid) {
        return std::ranges::find(story.report.lives, tgid, [](const aggregate::LifeRow& life) {
            return life.process.tgid;
        });
    };
    const auto own = life_of(story.death.target.tgid);
    const aggregate::Task& parent = story.death.parent;
    const bool born = own != story.report.lives.end() && own->born_ns != 0 && own->ppid != 0;
    const std::uint32_t tgid = born ? own->ppid : parent.tgid;
    if (tgid == 0) {
        return "its parent";
    }
    const auto maker = life_of(tgid);
    const aggregate::Task named = maker != story.report.lives.end() ? maker->process
        : tgid == parent.tgid ? parent : aggregate::Task{tgid, 0, {}};
    return (tgid == parent.tgid ? "its parent " : "") + who(named);
}

/// ", and did so since its birth: the mask is inherited from its parent 5 (a)"; "" where the
/// records do not show it.
std::string since_when(const Story& story)
{
    const DeathSend& send = story.send;
    if (send.mask_inherited && send.blocked_at_exec) {
        return fmt::format(", and did so at its exec already: it inherited that mask from {}",
                           maker(story));
    }
    if (send.mask_inherited) {
        return fmt::format(", as {} did when it made it", maker(story));
    }
    if (send.blocked_at_exec) {
        return ", and did so at its exec already";
    }
    return send.blocking ? blocked_by(story.report, *send.blocking) : "";
}

/// When the init of a pid namespace was first seen to have a handler for the signal that it
/// had none for: "had one 1.00 s after it, and none 100 ms after it"; "" where it was not.
std::string handler_later(const Story& story)
{
    const std::uint64_t bit = 1ull << (story.send.signal - 1);
    std::uint64_t without_ns = 0;
    for (const ThreadLook& look : story.death.looks) {
        if (look.at_ns < story.send.first_ns || (look.missing & IPCSCOPE_MISSING_STATUS) != 0 ||
            look.state == State::zombie) {
            continue;
        }
        const std::uint64_t after_ns = look.at_ns - story.send.first_ns;
        if ((look.caught & bit) == 0) {
            without_ns = after_ns;
            continue;
        }
        return fmt::format("had one {} after it{}", time(after_ns),
                           without_ns == 0 ? ""
                                           : fmt::format(", and none {} after it",
                                                         time(without_ns)));
    }
    return "";
}

/// How long a signal that was blocked as it was sent waited until it was taken; 0 where
/// that is how it is always taken, or short.
std::uint64_t blocked_until(const Death& death, const DeathSend& send, const DeathTaking& taking)
{
    const std::uint64_t ns = since(taking.at_ns, send.first_ns);
    const bool masked = send.blocked && death.traced &&
                        (taking.how == How::handler || taking.how == How::standard);
    return masked && ns >= kThresholds.slow_death_ns ? ns : 0;
}

/// ", for 1.20 s", of a handler that returned; ", and ended in it", where it did not.
std::string how_long(const Story& story, const DeathTaking& taking)
{
    if (!story.report.has_handlers || taking.how != How::handler) {
        return "";
    }
    if (taking.returned_ns != 0) {
        return ", for " + time(since(taking.returned_ns, taking.at_ns));
    }
    return !story.death.traced     ? ""
           : story.death.gone_ns   ? ", and did not return from it"
                                   : ", and has not returned from it";
}

}  // namespace

std::vector<Reason> hindrances(Story& story)
{
    const Hindrance& kept = story.send.hindrance;
    std::vector<Reason> reasons;
    if (kept.stopped_ns != 0) {
        const std::string after = time(kept.stopped_ns);
        std::string text = fmt::format("was stopped for {} after the signal", after);
        if (kept.stop && kept.stops == 1) {
            text = fmt::format("{} ({} of that after the signal)", stopped_by(story, *kept.stop),
                               after);
        } else if (kept.stop) {
            text = fmt::format("was stopped {} times, {} of that after the signal: at longest it {}",
                               grouped(kept.stops), after, stopped_by(story, *kept.stop));
        }
        reasons.push_back({Code::target_stopped, kept.stopped_ns, std::move(text)});
    }
    if (kept.frozen_ns != 0) {
        reasons.push_back({Code::target_frozen, kept.frozen_ns,
                           fmt::format("was frozen, with its cgroup, for {}",
                                       time(kept.frozen_ns))});
    }
    if (kept.traced_ns != 0) {
        reasons.push_back({Code::target_traced, kept.traced_ns,
                           fmt::format("was held by {} for {}", debugger_of(story.death),
                                       time(kept.traced_ns))});
    }
    // Less of it is the time of others that had work to do.
    if (at_least(kept.runnable_ns, story.lasted_ns, 1, 2)) {
        reasons.push_back({Code::target_starved, kept.runnable_ns,
                           fmt::format("waited {} for a CPU", time(kept.runnable_ns))});
    }
    if (auto vfork = vfork_wait(story)) {
        reasons.push_back(std::move(*vfork));
    } else if (auto sleep = sleep_reason(story)) {
        reasons.push_back(std::move(*sleep));
    }
    std::erase_if(reasons, [&](const Reason& reason) {
        return reason.ns < kThresholds.worth_telling_ns;
    });
    std::ranges::stable_sort(reasons, std::ranges::greater{}, &Reason::ns);
    return reasons;
}

std::string slept_in(const Story& story)
{
    const Death& death = story.death;
    const DeathTaking* taking = death.taking_of(story.send);
    const std::uint32_t tid = taking != nullptr ? taking->tid : death.target.tgid;
    std::string function;
    for (const ThreadLook& look : death.looks) {
        if (look.thread.tid != tid || look.at_ns < story.send.first_ns ||
            look.state == State::zombie) {
            continue;
        }
        const std::string now = look.state == State::running ? "" : function_of(&look, death);
        if (now.empty() || (!function.empty() && now != function)) {
            return "";
        }
        function = now;
    }
    if (function.empty()) {
        return "";
    }
    const std::string who = sleeper(death, tid);
    return fmt::format("{}slept in {} when it was looked at", who.empty() ? "it " : who, function);
}

/// A child that lived for most of the time, and whose end its own followed.
std::string last_child(const Story& story)
{
    const auto& child = story.death.last_child;
    if (!child || !story.death.gone_ns || child->exited_ns > *story.death.gone_ns) {
        return "";
    }
    const std::uint64_t after_ns = *story.death.gone_ns - child->exited_ns;
    const std::uint64_t lived_ns =
        since(child->exited_ns, std::max(child->born_ns, story.send.first_ns));
    if (after_ns > kThresholds.slow_death_ns / 2 || lived_ns < story.lasted_ns / 2) {
        return "";
    }
    return fmt::format("its child {} exited {} before it", who(child->task), time(after_ns));
}

std::string children(const Story& story)
{
    const Death& death = story.death;
    if (death.children.empty()) {
        return last_child(story);
    }
    std::string text = death.children.size() + death.more_children == 1 ? "its child "
                                                                        : "its children ";
    for (std::size_t i = 0; i < death.children.size(); ++i) {
        text += (i == 0 ? "" : ", ") + who(death.children[i]);
    }
    if (death.more_children != 0) {
        text += fmt::format(" and {} more", death.more_children);
    }
    return text + (death.children.size() == 1 ? " was alive" : " were alive");
}

std::optional<Reason> core_dump(Story& story)
{
    constexpr unsigned kDumped = 0x80;   // of wait(2)
    const Death& death = story.death;
    const auto last = std::find_if(death.looks.rbegin(), death.looks.rend(), [](const ThreadLook& look) {
        return !look.stack.empty() && look.state != State::zombie;
    });
    const bool seen = last != death.looks.rend() &&
                      std::ranges::any_of(last->stack, [](const SafeText& entry) {
                          return entry.view().starts_with("do_coredump+") ||
                                 entry.view().starts_with("vfs_coredump+");
                      });
    const bool dumped = death.exit_code && (static_cast<unsigned>(*death.exit_code) & kDumped) != 0 &&
                        decode::ended_by(*death.exit_code) == story.send.signal;
    if (!dumped && (death.gone_ns || !seen)) {
        return std::nullopt;
    }
    const DeathTaking* taking = death.taking_of(story.send);
    const std::uint64_t ns =
        since(story.end_ns, taking != nullptr ? taking->at_ns : story.send.first_ns);
    std::string text = fmt::format("{} core for {}", dumped ? "dumped" : "was dumping", time(ns));
    if (seen) {
        text += fmt::format(" (in {} when it was last looked at)", function_of(&*last, death));
        story.made.stack.clear();
        for (const SafeText& entry : last->stack) {
            story.made.stack.push_back(entry.str());
        }
    }
    const bool fault = story.send.origin == decode::Origin::fault ||
                       story.send.origin == decode::Origin::seccomp;
    return Reason{fault ? Code::crash : Code::slow_exit, ns, std::move(text)};
}

std::string_view taken_by(How how)
{
    return how == How::handler   ? "ran its handler"
           : how == How::sigwait ? "took it by sigwait()"
                                 : "read it from a signalfd";
}

std::optional<Reason> disposition(const Story& story)
{
    const Death& death = story.death;
    const DeathSend& send = story.send;
    const std::string name = decode::signal_name(send.signal);
    const DeathTaking* taking = death.taking_of(send);
    const bool unkillable = send.unkillable && send.at(Outcome::ignored) != 0;
    if (const std::string later = unkillable ? handler_later(story) : ""; !later.empty()) {
        return Reason{Code::signal_unkillable, 0,
                      "is the init of its pid namespace and had no handler for it yet, so that "
                      "the kernel ignored it; it " + later};
    }
    if (unkillable) {
        return Reason{Code::signal_unkillable, 0,
                      "is the init of its pid namespace, which " +
                          std::string(send.signal == IPCSCOPE_SIGKILL
                                          ? "no process inside it can kill"
                                          : "has no handler for it and so ignores it")};
    }
    const std::uint64_t blocked_ns = taking != nullptr ? blocked_until(death, send, *taking) : 0;
    const std::string blocked =
        fmt::format("blocked {} for {}{}", name, time(blocked_ns),
                    send.blocking ? blocked_by(story.report, *send.blocking) : "");
    if (taking != nullptr && aggregate::takes_itself(taking->how)) {
        const bool mostly = blocked_ns >= story.lasted_ns / 2 && blocked_ns != 0;
        return Reason{mostly ? Code::signal_blocked : Code::slow_exit, 0,
                      fmt::format("{}{} ", blocked_ns != 0 ? blocked + ", " : "",
                                  taken_by(taking->how)) +
                          at(story.report, taking->at_ns) + how_long(story, *taking)};
    }
    if (blocked_ns != 0 && taking->how == How::standard) {
        return Reason{Code::signal_blocked, 0, blocked};
    }
    // One more SIGKILL to a process that is dying is ignored, too.
    if (send.at(Outcome::ignored) != 0 && send.at(Outcome::delivered) == 0 && !send.dying) {
        return Reason{Code::signal_ignored, 0, "ignores " + name};
    }
    if (taking != nullptr && (taking->how == How::ignored || taking->how == How::discarded)) {
        return Reason{Code::signal_ignored, 0, "ignored " + name};
    }
    if (taking != nullptr && taking->how == How::debugger) {
        return Reason{Code::target_traced, 0, debugger_of(death) + " took " + name + " from it"};
    }
    const bool lost = total_lost(story.report.loss) != 0;
    if (taking == nullptr && !is_kill(send) &&
        (seen_blocked(story) || (send.blocked && death.traced && !lost))) {
        return Reason{Code::signal_blocked, 0,
                      "blocks " + name + ", which stayed pending" + since_when(story)};
    }
    return std::nullopt;
}

}  // namespace ipcscope::diagnose
