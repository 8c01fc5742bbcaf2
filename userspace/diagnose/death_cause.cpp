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

constexpr unsigned kSigpipe = 13, kSigxfsz = 25;

/// That a sentence has; a longer one is shown below it.
constexpr std::size_t kLongestCommand = 60;

/// " (memory cgroup oom, limit 20.0 MiB)"
std::string memory_of(const DeathSend& send)
{
    if (send.origin != decode::Origin::oom) {
        return "";
    }
    return send.memory_limit == 0 && send.memory_cgroup.empty()
        ? ": the machine had run out of memory"
        : fmt::format(": memory cgroup {} was at its limit of {}", send.memory_cgroup.view(),
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

}  // namespace

bool tell_cause(Story& story)
{
    const DeathSend& send = story.send;
    const Death& death = story.death;
    if (send.origin == decode::Origin::task || !death.exit_code ||
        decode::ended_by(*death.exit_code) != send.signal) {
        return false;
    }
    const std::string when = at(story.report, send.first_ns);
    std::string text = fmt::format("{} was ended by {} from {} {}{}.", who(death.target),
                                   decode::signal_name(send.signal), sender_of(story.report, send), when,
                                   memory_of(send));
    if (send.origin == decode::Origin::oom) {
        text += " No process sent it.";
    }
    text += reaping(story);
    story.made = finding(code_of_cause(send.origin), std::move(text));
    story.made.at_ns = send.first_ns;
    if (send.origin == decode::Origin::kernel) {   // why, no table says
        for (const SafeText& caller : send.callers) {
            story.made.stack.push_back(caller.str());
        }
    }
    if (send.origin == decode::Origin::oom && send.memory_limit != 0) {
        story.made.evidence.push_back({"memory_limit_bytes", send.memory_limit});
        story.made.evidence.push_back({"memory_cgroup", send.memory_cgroup.str()});
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

bool tell_sender(Story& story)
{
    const Death& death = story.death;
    const DeathSend* found = send_that_ended(death);
    if (found == nullptr || found->origin != decode::Origin::task) {
        return false;
    }
    const DeathSend& send = *found;
    story.ender = found;
    if (send.sender.tgid == death.target.tgid) {
        return tell_self(story, send);
    }
    std::string text = fmt::format("{} was ended by {} from {}", who(death.target),
                                   decode::signal_name(send.signal), sender_of(story.report, send));
    const auto lineage = lineage_at(story.report, send.sender.tgid, send.first_ns);
    if (lineage && lineage->known) {
        text += fmt::format(", {}{},", lineage->user.empty() ? "" : "user ", user(*lineage));
    }
    text += " " + at(story.report, send.first_ns);
    if (lineage && !lineage->command.empty() && lineage->command.width() <= kLongestCommand) {
        text += ": " + lineage->command.str();
    }
    story.made = finding(Code::ended_by_process, text + ".");
    story.made.at_ns = send.first_ns;
    return true;
}

bool ManyAtOnce::has_own_finding(const Story& story)
{
    const Code code = story.made.code;
    if (code != Code::ended_by_kernel && code != Code::ended_by_process) {
        return true;
    }
    const DeathSend& send = story.ender == nullptr ? story.send : *story.ender;
    const std::uint32_t by = code == Code::ended_by_process ? send.sender.tgid : 0;
    Group& group = groups_[{code, send.origin, send.signal, by}];
    if (++group.count <= kMostEach) {
        return true;
    }
    if (group.count == kMostEach + 1) {
        group.first_ns = send.first_ns;
        // SIGPIPE, SIGXFSZ: each by a call of its own.
        const bool own = code == Code::ended_by_kernel && send.origin == decode::Origin::task;
        group.sender = own ? "" : " from " + sender_of(story.report, send);
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
                               fmt::format("{} by {}{}.",
                                           counted(group.subjects.size(),
                                                   "more process was ended",
                                                   "more processes were ended"),
                                           decode::signal_name(std::get<2>(kind)), group.sender));
        made.subjects = group.subjects;
        made.at_ns = group.first_ns;
        findings.push_back(std::move(made));
    }
}

}  // namespace ipcscope::diagnose
