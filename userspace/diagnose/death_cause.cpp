// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/death_cause.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;

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

bool is_by_kernel(decode::Origin origin)
{
    return origin != decode::Origin::task && origin != decode::Origin::timer &&
           origin != decode::Origin::itimer;
}

}  // namespace

bool tell_cause(Story& story)
{
    const DeathSend& send = story.send;
    const Death& death = story.death;
    if (!is_by_kernel(send.origin) || !death.exit_code ||
        decode::ended_by(*death.exit_code) != send.signal) {
        return false;
    }
    const std::string when = at(story.report, send.first_ns);
    std::string text = fmt::format("{} was ended by {} from {} {}{}.", who(death.target),
                                   decode::signal_name(send.signal), sender_of(send), when,
                                   memory_of(send));
    if (send.origin == decode::Origin::oom) {
        text += " No process sent it.";
    }
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
    return true;
}

bool ManyAtOnce::has_own_finding(const Story& story)
{
    if (story.made.code != Code::ended_by_kernel) {
        return true;
    }
    Group& group = groups_[{story.send.origin, story.send.signal}];
    if (++group.count <= kMostEach) {
        return true;
    }
    if (group.count == kMostEach + 1) {
        group.first_ns = story.send.first_ns;
        group.sender = sender(story.send.sender, story.send.origin);
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
        Finding made = finding(Code::ended_by_kernel,
                               fmt::format("{} by {} from {}.",
                                           counted(group.subjects.size(),
                                                   "more process was ended",
                                                   "more processes were ended"),
                                           decode::signal_name(kind.second), group.sender));
        made.subjects = group.subjects;
        made.at_ns = group.first_ns;
        findings.push_back(std::move(made));
    }
}

}  // namespace ipcscope::diagnose
