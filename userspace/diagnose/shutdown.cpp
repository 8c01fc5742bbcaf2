// SPDX-License-Identifier: GPL-2.0-only
// The end of a container: what its init and the other processes of its pid namespace did
// with the signal that asked them to end.
#include <algorithm>

#include <fmt/format.h>

#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_story.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;

constexpr std::size_t kNamed = 3;
constexpr std::uint32_t kInit = 1;   ///< of the machine

/// A process of the namespace may signal its init for other reasons.
bool is_from_inside(const Story& story)
{
    const auto sender =
        lineage_at(story.report, story.send.sender.tgid, story.send.first_ns);
    return sender && std::ranges::any_of(sender->ancestors, [&](const auto& ancestor) {
               return ancestor.task.tgid == story.death.target.tgid;
           });
}

/// What a process that ended with its namespace did with the signal that its init got.
std::string did(const Story& story, const Death& member)
{
    const unsigned signal = story.send.signal;
    const auto sent = std::ranges::find_if(member.sends, [&](const DeathSend& send) {
        return send.signal == signal && send.last_ns >= story.send.first_ns;
    });
    if (sent == member.sends.end()) {
        return fmt::format("got no {}", decode::signal_name(signal));
    }
    const Story own{story.report, member, *sent};
    const auto reason = disposition(own);
    return reason ? reason->text : fmt::format("got {}", decode::signal_name(signal));
}

/// Processes that did the same: "7 (java), 8 (x) and 3 more".
struct Group {
    std::string did;
    std::vector<const Death*> members;
};

std::vector<Group> groups_of(const Story& story)
{
    std::vector<Group> groups;
    for (const Death& member : story.report.deaths) {
        if (!ended_with(member, story.death.target.tgid)) {
            continue;
        }
        const std::string what = member.traced ? did(story, member) : "";
        const auto same = std::ranges::find(groups, what, &Group::did);
        Group& group = same != groups.end() ? *same : groups.emplace_back(Group{what, {}});
        group.members.push_back(&member);
    }
    return groups;
}

/// " The kernel ended 7 (java) with it, which got no SIGTERM."
std::string ended(const std::vector<Group>& groups, bool lost)
{
    std::string text;
    for (const Group& group : groups) {
        text += fmt::format(" The kernel ended {} with it", names(group.members));
        // Where records were lost, what a process did is not known.
        text += lost || group.did.empty() ? "." : ", which " + group.did + ".";
    }
    return text;
}

std::string advice(const Story& story, const std::vector<Group>& groups)
{
    if (story.made.code == Code::signal_unkillable) {
        return "Give PID 1 a handler, exec the program in the entrypoint, or run a small init "
               "(docker run --init).";
    }
    const std::string none = "got no " + decode::signal_name(story.send.signal);
    return std::ranges::any_of(groups, [&](const Group& group) { return group.did == none; })
               ? "Exec the program in the entrypoint, or forward the signal to it."
               : "";
}

}  // namespace

std::string names(const std::vector<const Death*>& members)
{
    std::string text;
    for (const Death* member : std::span(members).first(std::min(members.size(), kNamed))) {
        text += (text.empty() ? "" : ", ") + who(member->target);
    }
    return members.size() > kNamed ? fmt::format("{} and {} more", text, members.size() - kNamed)
                                   : text;
}

bool is_namespace_init(const Death& death)
{
    return death.target.tgid != kInit &&
           std::ranges::any_of(death.sends, &DeathSend::unkillable);
}

bool ended_with(const Death& death, std::uint32_t tgid)
{
    return death.target.tgid != tgid &&
           std::ranges::any_of(death.sends, [&](const DeathSend& send) {
               return send.origin == decode::Origin::pid_namespace && send.sender.tgid == tgid;
           });
}

bool is_shutdown(const Story& story)
{
    return is_namespace_init(story.death) && story.death.gone_ns &&
           story.send.signal != IPCSCOPE_SIGKILL && !is_from_inside(story);
}

void tell_shutdown(Story& story)
{
    Finding& made = story.made;
    const std::vector<Group> groups = groups_of(story);
    const bool lost = total_lost(story.report.loss) != 0;
    made.text += ended(groups, lost);
    made.advice = advice(story, groups);
    made.code = Code::container_shutdown;
    for (const Group& group : groups) {
        for (const Death* member : group.members) {
            made.subjects.push_back(
                {member->target, "inside",
                 lineage_at(story.report, member->target.tgid, member->first_ns())});
        }
    }
}

}  // namespace ipcscope::diagnose
