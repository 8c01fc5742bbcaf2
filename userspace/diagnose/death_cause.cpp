// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/death_cause.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;

constexpr unsigned kSigpipe = 13, kSigterm = 15, kSigxfsz = 25;

/// That a sentence has; a longer one is shown below it.
constexpr std::size_t kLongestCommand = 60;

/// "memory cgroup oom was at its limit of 20.0 MiB"
std::string memory_of(const DeathSend& send)
{
    return send.memory_limit == 0 && send.memory_cgroup.empty()
        ? "the machine had run out of memory"
        : fmt::format("memory cgroup {} was at its limit of {}", send.memory_cgroup.view(),
                      glued(bytes(send.memory_limit)));
}

Code code_of_cause(decode::Origin origin)
{
    switch (origin) {
    case decode::Origin::oom: return Code::oom_kill;
    case decode::Origin::fault:
    case decode::Origin::seccomp: return Code::crash;
    default: return Code::ended_by_kernel;
    }
}

/// What the kernel sends a process in a call of its own, as if from itself: what that means; ""
/// where another finding does.
std::string own_call(const Story& story, const DeathSend& send)
{
    if (send.signal == kSigxfsz) {
        return "a file would have grown beyond its limit (RLIMIT_FSIZE)";
    }
    const auto shown = [&](const aggregate::ChannelRow& channel) {
        return std::ranges::any_of(channel.writers, [&](const aggregate::ChannelEnd& writer) {
            return writer.task.tgid == story.death.target.tgid && (writer.broken != 0 || writer.cut);
        });
    };
    return send.signal == kSigpipe && std::ranges::none_of(story.report.channels, shown)
        ? "it wrote to a pipe or socket whose other end is closed, which is not in the trace" : "";
}

bool signal_ended_it(const Story& story)
{
    const auto& code = story.death.exit_code;
    return code && decode::ended_by(*code) == story.send.signal;
}

}  // namespace

std::optional<Code> accident(const Story& story)
{
    const Code code = code_of_cause(story.send.origin);
    return signal_ended_it(story) && code != Code::ended_by_kernel ? std::optional(code) : std::nullopt;
}

void add_memory(Story& story, std::string_view joint)
{
    const DeathSend& send = story.send;
    if (send.origin != decode::Origin::oom) {
        return;
    }
    story.made.text.pop_back();   // the full stop
    story.made.text += fmt::format("{}{}. No process sent it.", joint, memory_of(send));
    if (send.memory_limit != 0) {
        story.made.evidence.push_back({"memory_limit_bytes", send.memory_limit});
        story.made.evidence.push_back({"memory_cgroup", send.memory_cgroup.str()});
    }
}

bool tell_cause(Story& story)
{
    const DeathSend& send = story.send;
    if (send.origin == decode::Origin::task || !signal_ended_it(story)) {
        return false;
    }
    const bool again = send.origin == decode::Origin::fault && !send.fatal;
    story.made = finding(code_of_cause(send.origin),
                         fmt::format("{} was ended by {} from {} {}{}.", who(story.death.target),
                                     decode::signal_name(send.signal),
                                     sender_of(story.report, send), at(story.report, send.first_ns),
                                     again ? ", which its handler sent once more" : ""));
    add_memory(story, ": ");
    story.made.text += reaping(story);
    story.made.at_ns = send.first_ns;
    if (send.origin == decode::Origin::kernel) {   // why, no table says
        for (const SafeText& caller : send.callers) {
            story.made.stack.push_back(caller.str());
        }
    }
    if (send.origin == decode::Origin::terminal && send.terminal != 0) {
        story.made.evidence.push_back({"terminal", decode::terminal_name(send.terminal)});
    }
    return true;
}

/// abort(), or a program that ends itself by the signal that its parent is to see.
bool tell_self(Story& story, const DeathSend& send)
{
    if (send.signal == kSigpipe || send.signal == kSigxfsz) {
        const std::string why = own_call(story, send);
        if (why.empty()) {
            return false;
        }
        story.made = finding(Code::ended_by_kernel,
                             fmt::format("{} was ended by {} {}: {}.", who(story.death.target),
                                         decode::signal_name(send.signal),
                                         at(story.report, send.first_ns), why));
        story.made.at_ns = send.first_ns;
        return true;
    }
    const bool aborts = (IPCSCOPE_SIG_BIT(send.signal) & IPCSCOPE_CORE_SIGNALS) != 0;
    story.made = finding(aborts ? Code::crash : Code::ended_by_process,
                         fmt::format("{} was ended by {}, which it sent to itself, {}.",
                                     who(story.death.target), decode::signal_name(send.signal),
                                     at(story.report, send.first_ns)));
    story.made.text += reaping(story);
    story.made.at_ns = send.first_ns;
    return true;
}

/// "SIGTERM from 5 (bash), user root, at 1.20 s"
std::string signal_of(const Story& story, const DeathSend& send,
                      const std::optional<aggregate::Lineage>& sender)
{
    std::string text = fmt::format("{} from {}", decode::signal_name(send.signal),
                                   sender_of(story.report, send));
    if (sender && sender->known) {
        text += fmt::format(", {}{},", sender->user.empty() ? "" : "user ", user(*sender));
    }
    return text + " " + at(story.report, send.first_ns);
}

/// A process that took a SIGTERM by itself, and exited at once.
bool tell_exit(Story& story)
{
    const Death& death = story.death;
    const DeathSend& send = story.send;
    const aggregate::DeathTaking* taking = death.taking_of(send);
    if (send.signal != kSigterm || send.origin != decode::Origin::task || !death.exit_code ||
        decode::ended_by(*death.exit_code) != 0 || send.sender.tgid == death.target.tgid ||
        taking == nullptr || !aggregate::takes_itself(taking->how)) {
        return false;
    }
    const auto lineage = lineage_at(story.report, send.sender.tgid, send.first_ns);
    story.made = finding(Code::ended_by_process,
                         fmt::format("{} got {}, {}, and exited with status {} after {}.",
                                     who(death.target), signal_of(story, send, lineage),
                                     taken_by(taking->how), decode::exit_status(*death.exit_code),
                                     time(story.lasted_ns)));
    story.made.at_ns = send.first_ns;
    return true;
}

bool tell_sender(Story& story)
{
    const Death& death = story.death;
    const DeathSend* found = send_that_ended(death);
    if (found == nullptr) {
        return tell_exit(story);
    }
    if (found->origin != decode::Origin::task) {
        return false;
    }
    const DeathSend& send = *found;
    story.ender = found;
    if (send.sender.tgid == death.target.tgid) {
        return tell_self(story, send);
    }
    const auto lineage = lineage_at(story.report, send.sender.tgid, send.first_ns);
    std::string text = fmt::format("{} was ended by {}", who(death.target),
                                   signal_of(story, send, lineage));
    if (lineage && !lineage->command.empty() && lineage->command.width() <= kLongestCommand) {
        text += ": " + lineage->command.str();
    }
    story.made = finding(Code::ended_by_process, text + ".");
    story.made.at_ns = send.first_ns;
    return true;
}

/// What many have in common: "ended by SIGTERM from 5 (bash)".
std::string how_of_many(const Story& story, const DeathSend& send)
{
    const std::string signal = decode::signal_name(send.signal);
    // SIGPIPE, SIGXFSZ: each by a call of its own.  The kernel: each time in another's context.
    const bool own = story.made.code == Code::ended_by_kernel && send.origin == decode::Origin::task;
    const std::string from = own ? ""
        : send.origin == decode::Origin::kernel ? " from the kernel"
                                                : " from " + sender_of(story.report, send);
    const bool exited = story.made.code == Code::ended_by_process && story.ender == nullptr;
    return exited ? fmt::format("asked by {}{} to end, and exited at once", signal, from)
                  : fmt::format("ended by {}{}", signal, from);
}

bool ManyAtOnce::has_own_finding(const Story& story)
{
    const Code code = story.made.code;
    if (code != Code::ended_by_kernel && code != Code::ended_by_process) {
        return true;
    }
    const DeathSend& send = story.ender == nullptr ? story.send : *story.ender;
    Group& group = groups_[{code, send.origin, how_of_many(story, send)}];
    if (++group.count <= kMostEach) {
        return true;
    }
    if (group.count == kMostEach + 1) {
        group.first_ns = send.first_ns;
    }
    group.subjects.push_back({story.death.target, "target"});
    return false;
}

void ManyAtOnce::add_rest(Findings& findings) const
{
    for (const auto& [kind, group] : groups_) {
        if (group.subjects.empty()) {
            continue;
        }
        Finding made = finding(std::get<Code>(kind),
                               fmt::format("{} {}.",
                                           counted(group.subjects.size(), "more process was",
                                                   "more processes were"),
                                           std::get<std::string>(kind)));
        made.subjects = group.subjects;
        made.at_ns = group.first_ns;
        findings.push_back(std::move(made));
    }
}

}  // namespace ipcscope::diagnose
