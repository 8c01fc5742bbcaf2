// SPDX-License-Identifier: GPL-2.0-only
// Why did a process not end at once?  One finding for each.
#include "diagnose/deaths.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_cause.hpp"
#include "diagnose/death_story.hpp"
#include "diagnose/kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;
using aggregate::DeathTaking;
using aggregate::Hindrance;
using aggregate::ThreadLook;
using decode::Outcome;

// The traced kernel's numbers, whatever the libc of this program says.
constexpr unsigned kSighup = 1;
constexpr unsigned kSigint = 2;
constexpr unsigned kSigquit = 3;
constexpr unsigned kSigterm = 15;

bool asks_to_end(unsigned signal)
{
    return signal == kSighup || signal == kSigint || signal == kSigquit || signal == kSigterm;
}

/// It reached the process while that lived: on 5.10 one to a zombie is "delivered", too.
bool reached(const Death& death, const DeathSend& send)
{
    return send.at(Outcome::delivered) + send.at(Outcome::info_lost) != 0 &&
           (!death.gone_ns || send.first_ns <= *death.gone_ns);
}

/// A process that was asked politely, and then not; or again, when it had no handler any more.
const DeathSend* first_kill_after(const Death& death, const DeathSend& send)
{
    for (const DeathSend& other : death.sends) {
        if (is_kill(other) && reached(death, other) && other.first_ns > send.first_ns &&
            (other.signal != send.signal || (!send.fatal && other.fatal)) &&
            other.sender.tgid != death.target.tgid) {
            return &other;
        }
    }
    return nullptr;
}

/// Of a send that should end it by itself: another signal that did, by the exit code.
const DeathSend* other_ender(const Death& death, const DeathSend& send)
{
    const unsigned signal = death.exit_code ? decode::ended_by(*death.exit_code) : 0;
    const auto found = std::ranges::find_if(death.sends, [&](const DeathSend& other) {
        return signal != send.signal && other.signal == signal && other.first_ns > send.first_ns;
    });
    return found == death.sends.end() ? nullptr : &*found;
}

/// Who made an end of it; nullptr: the send itself, or the process.
const DeathSend* ender(const Death& death, const DeathSend& send)
{
    return is_kill(send) ? other_ender(death, send) : first_kill_after(death, send);
}

/// A SIGINT with a handler that a process ends soon after; a SIGHUP may mean anything.
bool ended_soon_after(const Death& death, const DeathSend& send)
{
    return send.signal == kSigint && death.gone_ns && *death.gone_ns >= send.first_ns &&
           *death.gone_ns - send.first_ns < kThresholds.sigint_ends_ns;
}

/// It has had no effect, and may never have one: ignored, or blocked and pending.
bool has_no_effect(const Death& death, const DeathSend& send)
{
    const bool by_a_process = decode::names_sender(send.origin);
    const bool ignored = send.at(Outcome::ignored) != 0 && send.at(Outcome::delivered) == 0;
    const bool pending = send.blocked && send.at(Outcome::delivered) != 0 && !death.gone_ns &&
                         death.taking_of(send) == nullptr;
    return asks_to_end(send.signal) && ((by_a_process && ignored) || pending);
}

bool was_taken(const Death& death, const DeathSend& send)
{
    const DeathTaking* taking = death.taking_of(send);
    return taking != nullptr && aggregate::takes_itself(taking->how);
}

/// It is the one that ended it, though its handler may have sent it once more.  Of one that came
/// again much later, or long before the end, the first was a message.
bool ended_by_it(const Death& death, const DeathSend& send)
{
    return send_that_ended(death) == &send && death.gone_ns &&
           since(send.last_ns, send.first_ns) < kThresholds.slow_death_ns &&
           since(*death.gone_ns, send.first_ns) < kThresholds.sigint_ends_ns;
}

/// SIGHUP, SIGUSR1, ... may mean anything to a process that takes them by itself.
bool is_a_message(const Death& death, const DeathSend& send)
{
    return send.signal != kSigterm && send.signal != kSigint && send.signal != kSigquit &&
           was_taken(death, send) && !ended_by_it(death, send);
}

/// A process that signals its group ignores that itself.
bool is_own(const Death& death, const DeathSend& send)
{
    return send.sender.tgid == death.target.tgid && !is_kill(send) &&
           !(death.exit_code && decode::ended_by(*death.exit_code) == send.signal);
}

/// A story begins with it, whatever came before.
bool begins_story(const Death& death, const DeathSend& send)
{
    if (is_kill(send) || send.signal == kSigterm || ended_soon_after(death, send) ||
        ended_by_it(death, send)) {
        return true;
    }
    const DeathSend* kill = first_kill_after(death, send);
    return kill != nullptr && kill->first_ns - send.first_ns < kThresholds.sigint_ends_ns;
}

/// A SIGHUP without effect has nothing to do with what is sent after it, nor has another signal
/// with what is sent much later.
bool is_apart(const DeathSend& idle, const DeathSend& later)
{
    return idle.signal == kSighup ||
           since(later.first_ns, idle.first_ns) > kThresholds.sigint_ends_ns;
}

/// The send that the story begins with; nullptr: there is none.
const DeathSend* main_send(const Death& death)
{
    const DeathSend* idle = nullptr;   // has had no effect: the story where no other is
    for (const DeathSend& send : death.sends) {
        if (is_own(death, send) || is_a_message(death, send)) {
            continue;
        }
        if (send.signal != kSigterm && has_no_effect(death, send)) {
            const bool first = idle == nullptr || (idle->signal == kSighup && send.signal != kSighup);
            idle = first ? &send : idle;
        } else if (begins_story(death, send)) {
            return idle == nullptr || is_apart(*idle, send) ? &send : idle;
        }
    }
    return idle;
}

/// Not what anyone sent to stop it: a crash, or the OOM killer.
bool is_accident(const Death& death, const DeathSend& send)
{
    const bool own_core = send.origin == decode::Origin::task &&
                          send.sender.tgid == death.target.tgid &&
                          (IPCSCOPE_SIG_BIT(send.signal) & IPCSCOPE_CORE_SIGNALS) != 0;
    return own_core || send.origin == decode::Origin::fault ||
           send.origin == decode::Origin::seccomp || send.origin == decode::Origin::oom;
}

/// What the story is of, where it is not the send that it begins with: what ended it soon
/// after that, or by accident.
const DeathSend& story_send(const Death& death, const DeathSend& main)
{
    const DeathSend* end = send_that_ended(death);
    if (end == nullptr || end == &main || end->first_ns < main.first_ns) {
        return main;
    }
    const bool soon = death.gone_ns &&
                      since(*death.gone_ns, main.first_ns) < kThresholds.slow_death_ns &&
                      !main.unkillable;
    return soon || is_accident(death, *end) ? *end : main;
}

/// " SIGTERM from 5 (a) had come 500 ms before."
std::string asked_before(const Story& story, const DeathSend& main)
{
    return &story.send == &main
        ? ""
        : fmt::format(" {} from {} had come {} before.", decode::signal_name(main.signal),
                      sender_of(story.report, main),
                      time(since(story.send.first_ns, main.first_ns)));
}

std::string times(std::uint64_t count)
{
    return count > 1 ? fmt::format(", {} times,", grouped(count)) : "";
}

/// "exited with status 3", "was ended by SIGKILL"
std::string how_it_ended(std::int32_t code)
{
    if (const unsigned signal = decode::ended_by(code); signal != 0) {
        return fmt::format("was ended by {}", decode::signal_name(signal));
    }
    return fmt::format("exited with status {}", decode::exit_status(code));
}

/// Who made an end of it, after a signal that did not.
std::string followed_by(const Story& story)
{
    const DeathSend* kill = ender(story.death, story.send);
    if (kill == nullptr) {
        return "";
    }
    std::string from;
    if (kill->sender.tgid != story.send.sender.tgid || kill->origin != story.send.origin) {
        from = " from " + sender(kill->sender, kill->origin, kill->terminal);
    }
    const std::string after = time(since(kill->first_ns, story.send.first_ns));
    const std::string name = decode::signal_name(kill->signal);
    if (!story.death.gone_ns) {
        return fmt::format(" {}{} followed {} later, and it was still there {} after that.", name,
                           from, after, time(since(story.end_ns, kill->first_ns)));
    }
    const std::uint64_t dying = since(*story.death.gone_ns, kill->first_ns);
    const auto& code = story.death.exit_code;
    const bool other_end = code && decode::ended_by(*code) != kill->signal;
    if (dying < kThresholds.slow_death_ns && !other_end) {
        return fmt::format(" {}{} ended it {} later.", name, from, after);
    }
    return fmt::format(" {}{} followed {} later, and it was gone {} after that.", name, from,
                       after, time(dying));
}

std::string its_end(const Story& story)
{
    if (const std::string killed = followed_by(story); !killed.empty()) {
        return "." + killed;
    }
    const std::string after = time(story.lasted_ns);
    if (story.death.gone_ns) {
        return fmt::format("; it was gone {} after the signal.", after);
    }
    const bool to_the_end =
        story.report.ended &&
        since(story.report.end_ns, story.end_ns) < kThresholds.slow_death_ns;
    return fmt::format("; it was still there {} after the signal, when {}.", after,
                       to_the_end ? "the trace ended" : "it was last looked at");
}

/// Further signals that should have ended it, of others or of another number.
std::string other_sends(const Death& death, const DeathSend& main, const DeathSend* kill)
{
    std::uint64_t count = death.other_sends;
    const DeathSend* one = nullptr;
    for (const DeathSend& send : death.sends) {
        const bool meanwhile = send.first_ns >= main.first_ns &&
                               send.first_ns <= death.gone_ns.value_or(send.first_ns);
        if (&send != &main && &send != kill && send.sender.tgid != death.target.tgid && meanwhile) {
            count += send.count;
            one = one == nullptr ? &send : one;
        }
    }
    if (kill != nullptr && kill->count > 1) {
        count += kill->count - 1;
        one = one == nullptr ? kill : one;
    }
    if (count == 0 || one == nullptr) {
        return "";
    }
    return fmt::format(" {} came meanwhile ({} from {}{}).",
                       counted(count, "more signal that should end it",
                               "more signals that should end it"),
                       decode::signal_name(one->signal), sender(one->sender, one->origin, one->terminal),
                       count > one->count ? ", ..." : "");
}

void add_subjects(Story& story)
{
    Finding& made = story.made;
    const Death& death = story.death;
    made.subjects.push_back(
        {death.target, "target",
         lineage_at(story.report, death.target.tgid, story.send.first_ns)});
    const auto add = [&](const decode::Task& task, std::string_view role,
                         std::uint64_t signal_ns = 0) {
        const bool known = std::ranges::any_of(made.subjects, [&](const Subject& subject) {
            return subject.task.tgid == task.tgid;
        });
        if (task.tgid != 0 && !known) {
            made.subjects.push_back({task, role, lineage_at(story.report, task.tgid, signal_ns)});
        }
    };
    for (const DeathSend& send : death.sends) {
        if (decode::names_sender(send.origin)) {
            add(send.sender, send.origin == decode::Origin::parent_exit ? "parent" : "sender",
                send.first_ns);
        }
    }
    const bool unreaped = made.code == Code::zombie || made.code == Code::slow_reap;
    if (unreaped) {
        add(death.parent, "parent");
    }
    for (const ThreadLook& look : death.looks) {
        add(look.tracer, "debugger");
        add(look.vfork_child, "child");
    }
    if (made.code == Code::target_stopped && story.send.hindrance.stop) {
        const aggregate::Stop& stop = *story.send.hindrance.stop;
        add({stop.sender.tgid, 0, stop.sender.comm}, "stopper", stop.at_ns);
    }
}

void add_evidence(Story& story)
{
    Finding& made = story.made;
    const Death& death = story.death;
    const Hindrance& kept = story.send.hindrance;
    std::uint64_t sent = death.other_sends;
    for (const DeathSend& send : death.sends) {
        sent += send.count;
    }
    made.evidence.push_back({"signal", decode::signal_name(story.send.signal)});
    made.evidence.push_back({"sent", sent});
    made.evidence.push_back(
        {"state", std::string(1, decode::state_letter(story.send.target_state))});
    const auto add_ns = [&](std::string_view key, std::uint64_t ns) {
        if (ns != 0) {
            made.evidence.push_back({key, ns});
        }
    };
    add_ns("outlived_ns", story.lasted_ns);
    add_ns("stopped_ns", kept.stopped_ns);
    add_ns("frozen_ns", kept.frozen_ns);
    add_ns("traced_ns", kept.traced_ns);
    add_ns("uninterruptible_ns", kept.uninterruptible_ns);
    add_ns("killable_ns", kept.killable_ns);
    add_ns("runnable_ns", kept.runnable_ns);
    if (death.exit_code) {
        made.evidence.push_back({"ended", how_it_ended(*death.exit_code)});
    }
    unsigned missing = 0;
    for (const ThreadLook& look : death.looks) {
        missing |= look.missing;
    }
    if (missing != 0) {
        made.evidence.push_back(
            {"not_read", fmt::format("{}", fmt::join(decode::missing_names(missing), ", "))});
    }
}

/// Of a process that is not traced only what /proc showed is known.
bool is_known(const Story& story, const std::optional<Reason>& did, bool hindered)
{
    if (story.death.traced || hindered) {
        return true;
    }
    return did && (did->code == Code::signal_blocked ||
                           did->code == Code::signal_unkillable ||
                           did->code == Code::signal_ignored);
}

/// What is known of why it lived on.
struct Why {
    std::vector<Reason> reasons;        ///< that kept it from running, the longest first
    std::optional<Reason> did;          ///< with the signal
    const DeathSend* kill = nullptr;    ///< that made an end of it
    bool hindered = false;              ///< for most of the time
};

Why why(Story& story)
{
    Why known{hindrances(story), disposition(story)};
    if (auto dump = core_dump(story); dump && dump->ns >= story.lasted_ns / 2) {
        known.did = std::move(dump);
        std::erase_if(known.reasons, [](const Reason& reason) { return reason.code == Code::kill_stuck; });
    }
    known.kill = ender(story.death, story.send);
    known.hindered = !known.reasons.empty() && known.reasons.front().ns >= story.lasted_ns / 2;
    return known;
}

bool is_worth_telling(const Story& story, const Why& known)
{
    if (!is_known(story, known.did, !known.reasons.empty())) {
        return false;
    }
    const bool is_short = story.lasted_ns < kThresholds.escalation_ns;
    if (known.did && known.did->code == Code::signal_ignored && known.kill == nullptr && is_short) {
        return false;
    }
    return known.hindered || known.did || !is_short;   // it may have waited for a CPU only
}

Code code_of(const Story& story, const Why& known)
{
    if (known.did && !known.hindered) {
        return known.did->code;
    }
    if (!known.reasons.empty()) {
        return known.reasons.front().code;
    }
    return is_kill(story.send) ? Code::kill_stuck : Code::slow_exit;
}

Severity severity_of(const Story& story, Code code)
{
    if (code == Code::signal_ignored && story.send.signal == kSighup) {
        return Severity::note;   // as nohup and daemons do, for a purpose
    }
    return story.death.gone_ns || code == Code::signal_ignored || code == Code::signal_unkillable
               ? Severity::warning
               : Severity::error;
}

/// "was frozen for 1.00 s, and ran its handler at 3.05 s"
std::string clauses(const Why& known)
{
    std::string text;
    for (const Reason& reason : known.reasons) {
        text += (text.empty() ? "" : ", ") + reason.text;
    }
    if (known.did) {
        text = known.hindered ? text + ", and " + known.did->text
                              : known.did->text + (text.empty() ? "" : ", ") + text;
    }
    return text.empty() ? "did not end at once" : text;
}

/// " It slept in f when it was looked at, and its child 7 (sleep) was alive."
std::string context(const Story& story)
{
    std::string text = slept_in(story);
    if (const std::string alive = children(story); !alive.empty()) {
        text += (text.empty() ? "" : ", and ") + alive;
    }
    if (text.empty()) {
        return "";
    }
    text.front() = static_cast<char>(std::toupper(text.front()));
    return " " + text + ".";
}

/// False: nothing is worth telling.
bool tell_long_life(Story& story)
{
    const Why known = why(story);
    if (!is_worth_telling(story, known)) {
        return false;
    }
    const std::optional<Code> cause = accident(story);
    const Code code = cause.value_or(code_of(story, known));
    Finding& made = story.made;
    std::vector<std::string> stack = std::move(made.stack);
    story.did = clauses(known) + its_end(story);
    made = finding(code, head(story) + ": it " + story.did);
    made.stack = std::move(stack);
    if (code == Code::slow_exit || code == Code::signal_ignored) {
        made.text += context(story);
    }
    add_memory(story, "; ");
    made.text += other_sends(story.death, story.send, known.kill) + reaping(story);
    made.severity = cause ? info(code).severity : severity_of(story, code);
    made.at_ns = story.send.first_ns;
    made.duration_ns = story.lasted_ns;
    return true;
}

/// Says of the init of a pid namespace, too, what ended with it.
void add_container(Story& story, std::set<std::uint32_t>& shut_down)
{
    if (story.lasted_ns >= kThresholds.slow_death_ns && is_shutdown(story)) {
        tell_shutdown(story);
        shut_down.insert(story.death.target.tgid);
    }
}

/// It ended at once; who sent the signal is not what ps shows.
bool tell_renamed(Story& story)
{
    if (story.send.sender_now.empty() || !is_kill(story.send)) {
        return false;
    }
    story.made = finding(Code::sender_renamed,
                         fmt::format("{} ended it {}.", head(story),
                                     at(story.report, story.send.first_ns)));
    story.made.at_ns = story.send.first_ns;
    return true;
}

bool is_in_finding_of(const Story& story, const std::set<std::uint32_t>& shut_down)
{
    return story.made.code == Code::ended_by_kernel &&
           std::ranges::any_of(shut_down, [&](std::uint32_t init) {
               return ended_with(story.death, init);
           });
}

/// The thread that exited was not the last of its process, which ended later, or not in the trace,
/// which has its time.
bool lived_on(const aggregate::Report& report, const DeathSend& send)
{
    const auto life = std::ranges::find(report.lives, send.sender.tgid, [](const auto& row) {
        return row.process.tgid;
    });
    const bool exited = life != report.lives.end() && life->exit_ns != 0;
    return exited ? since(life->exit_ns, send.first_ns) > kThresholds.slow_death_ns
                  : report.ended && std::ranges::any_of(report.processes, [&](const auto& row) {
                        return row.task.tgid == send.sender.tgid;
                    });
}

bool describe(Story& story)
{
    const Death& death = story.death;
    if (was_zombie(death, story.send)) {
        return tell_zombie(story);
    }
    story.end_ns = death.gone_ns.value_or(std::max(death.alive_ns, story.send.first_ns));
    story.lasted_ns = since(story.end_ns, story.send.first_ns);
    if (story.lasted_ns >= kThresholds.slow_death_ns ||
        (story.send.unkillable && story.send.at(Outcome::ignored) != 0)) {
        if (tell_long_life(story)) {
            return true;
        }
    }
    return death.gone_ns &&
           (tell_cause(story) || tell_reaping(story) || tell_renamed(story) ||
            tell_sender(story));
}

}  // namespace

std::string sender_of(const aggregate::Report& report, const DeathSend& send)
{
    if (send.origin == decode::Origin::parent_exit && lived_on(report, send)) {
        return fmt::format("the kernel as {} of its parent {}, which lived on, exited (PDEATHSIG)",
                           send.sender_tid == send.sender.tgid
                               ? "the main thread" : fmt::format("thread {}", send.sender_tid),
                           who(send.sender));
    }
    std::string text = sender(send.sender, send.origin, send.terminal);
    if (!send.sender_now.empty() && text.ends_with(')')) {
        text.insert(text.size() - 1, glued(fmt::format(", now {}", send.sender_now.text().view())));
    }
    return text;
}

const DeathSend* send_that_ended(const Death& death)
{
    const unsigned signal = death.exit_code ? decode::ended_by(*death.exit_code) : 0;
    const DeathSend* found = nullptr;   // of those that it lived on after
    for (const DeathSend& send : death.sends) {
        const bool own = send.origin == decode::Origin::task && send.sender.tgid == death.target.tgid;
        if (send.signal != signal || !reached(death, send)) {
            continue;
        }
        if (send.fatal) {   // its own: a handler sends it once more
            return own && found != nullptr ? found : &send;
        }
        if (found == nullptr || (!own && was_taken(death, send))) {
            found = &send;
        }
    }
    return found;
}

bool is_kill(const DeathSend& send) { return send.signal == IPCSCOPE_SIGKILL || send.fatal; }

std::string at(const aggregate::Report& report, std::uint64_t ns)
{
    return ns < report.host.start_ns ? "before the trace"
                                     : "at " + time(since(ns, report.host.start_ns));
}

std::string head(const Story& story)
{
    const DeathSend& send = story.send;
    if (send.origin == decode::Origin::task && send.sender.tgid == story.death.target.tgid) {
        return fmt::format("{} of {} itself{}", decode::signal_name(send.signal),
                           who(story.death.target), times(send.count));   // a fault, abort()
    }
    return fmt::format("{} from {}{} to {}", decode::signal_name(send.signal),
                       sender_of(story.report, send), times(send.count), who(story.death.target));
}

bool has_story(const aggregate::Report& report, std::uint32_t tgid, unsigned signal)
{
    return std::ranges::any_of(report.deaths, [&](const Death& death) {
        const DeathSend* main = death.target.tgid == tgid ? main_send(death) : nullptr;
        // What came before that one was a message.
        return main != nullptr && std::ranges::any_of(death.sends, [&](const DeathSend& send) {
                   return send.signal == signal && send.first_ns >= main->first_ns;
               });
    });
}

void find_deaths(const aggregate::Report& report, Findings& findings)
{
    // The inits of pid namespaces first: what ended with one is in its finding.
    std::vector<const Death*> deaths;
    for (const Death& death : report.deaths) {
        deaths.push_back(&death);
    }
    std::ranges::stable_partition(deaths,
                                  [](const Death* death) { return is_namespace_init(*death); });
    std::set<std::uint32_t> shut_down;
    std::list<Story> stories;
    for (const Death* death : deaths) {
        const DeathSend* send = main_send(*death);
        if (send == nullptr) {
            continue;
        }
        Story story{report, *death, story_send(*death, *send)};
        if (!describe(story) || is_in_finding_of(story, shut_down)) {
            continue;
        }
        story.made.text += asked_before(story, *send);
        add_subjects(story);
        add_evidence(story);
        add_container(story, shut_down);
        stories.push_back(std::move(story));
    }
    const std::set<const Death*> described = tell_unit_shutdowns(stories);
    ManyAtOnce many;
    for (Story& story : stories) {
        if (!described.contains(&story.death) && many.has_own_finding(story)) {
            findings.push_back(std::move(story.made));
        }
    }
    many.add_rest(findings);
}

}  // namespace ipcscope::diagnose
