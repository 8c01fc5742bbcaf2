// SPDX-License-Identifier: GPL-2.0-only
// The stop of a unit, or of a container without a pid namespace of its own: a process outside
// of it asked several of its processes to end.
#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

#include <ipcscope/policy.h>

#include "base/container.hpp"
#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_story.hpp"
#include "diagnose/kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;
using aggregate::DeathSend;

constexpr std::size_t kNamed = 3;   ///< processes with a sentence each

/// "app.service"; "docker container 0123456789ab"; "" in neither, or where it is not known.
std::string place_text(const aggregate::Report& report, std::uint32_t tgid, std::uint64_t at_ns)
{
    const auto lineage = lineage_at(report, tgid, at_ns);
    if (!lineage || !lineage->known) {
        return "";
    }
    const Place place = place_of(lineage->cgroup_path.view());
    if (!place.container.empty()) {
        return fmt::format("{} container {}", place.runtime, short_id(place.container));
    }
    return place.unit;
}

/// Who asked, by which signal, the processes of which place.
struct Asked {
    std::uint32_t sender = 0;
    unsigned signal = 0;
    std::string place;
    friend auto operator<=>(const Asked&, const Asked&) = default;
};

const DeathSend* send_of(const Death& death, std::uint32_t sender, unsigned signal)
{
    const auto found = std::ranges::find_if(death.sends, [&](const DeathSend& send) {
        return send.sender.tgid == sender && send.signal == signal &&
               send.origin == decode::Origin::task;
    });
    return found == death.sends.end() ? nullptr : &*found;
}

bool got(const Death& death, unsigned signal)
{
    return std::ranges::any_of(death.sends,
                               [&](const DeathSend& send) { return send.signal == signal; });
}

/// What is asked of the process by a story; nothing where that is no stop of a unit.
std::optional<Asked> asked(const Story& story)
{
    const DeathSend& send = story.send;
    if (story.did.empty() || story.made.code == Code::container_shutdown ||
        send.origin != decode::Origin::task || is_kill(send)) {
        return std::nullopt;
    }
    Asked key{send.sender.tgid, send.signal,
              place_text(story.report, story.death.target.tgid, send.first_ns)};
    const bool from_inside =
        key.place == place_text(story.report, send.sender.tgid, send.first_ns);
    return key.place.empty() || from_inside ? std::nullopt : std::optional(std::move(key));
}

/// The others of the place that the same process sent the signal to, or SIGKILL.
struct Rest {
    std::vector<const Death*> at_once;      ///< ended by the signal
    std::vector<const Death*> exited;       ///< by themselves, at once
    std::vector<const Death*> killed;       ///< got SIGKILL alone
    std::vector<const Story*> slow;
    std::size_t others = 0;                 ///< got the signal, and have findings of their own, or none
};

std::uint64_t ended_ns(const std::vector<Story*>& slow)
{
    std::uint64_t ended_ns = 0;
    for (const Story* story : slow) {
        ended_ns = std::max(ended_ns, story->end_ns);
    }
    return ended_ns;
}

/// What the process, which is none of the slow ones, got first of the two signals; nullptr: none.
const DeathSend* first_of(const Asked& key, const Death& death)
{
    const DeathSend* sent = send_of(death, key.sender, key.signal);
    return sent ? sent
        : got(death, key.signal) ? nullptr : send_of(death, key.sender, IPCSCOPE_SIGKILL);
}

void add(Rest& rest, const Death& death, const DeathSend& first, bool asked)
{
    const bool at_once = death.exit_code && death.gone_ns &&
                         since(*death.gone_ns, first.first_ns) < kThresholds.slow_death_ns;
    const unsigned by = death.exit_code ? decode::ended_by(*death.exit_code) : 0;
    if (at_once && by == first.signal) {
        (asked ? rest.at_once : rest.killed).push_back(&death);
    } else if (at_once && asked && by == 0) {
        rest.exited.push_back(&death);
    } else {
        rest.others += asked;
    }
}

/// `slow`: in the order in which they were asked.
Rest rest_of(const Asked& key, const Story& main, const std::vector<Story*>& slow)
{
    Rest rest;
    const std::uint64_t from_ns = since(slow.front()->send.first_ns, kThresholds.slow_death_ns);
    const std::uint64_t to_ns = ended_ns(slow);
    for (const Story* story : slow) {
        if (story != &main) {
            rest.slow.push_back(story);
        }
    }
    for (const Death& death : main.report.deaths) {
        const bool is_slow = std::ranges::any_of(
            slow, [&](const Story* story) { return &story->death == &death; });
        const DeathSend* first = is_slow ? nullptr : first_of(key, death);
        if (first != nullptr && first->first_ns >= from_ns && first->first_ns <= to_ns &&
            !was_zombie(death, *first) &&
            place_text(main.report, death.target.tgid, first->first_ns) == key.place) {
            add(rest, death, *first, first->signal == key.signal);
        }
    }
    return rest;
}

/// " SIGTERM went to 2 more processes of app.service: it ended 7 (a) at once. 8 (b) ran …"
std::string others(const Asked& key, const Rest& rest)
{
    const std::string signal = decode::signal_name(key.signal);
    const std::size_t described = rest.at_once.size() + rest.exited.size() + rest.slow.size();
    std::string text;
    if (const std::size_t more = described + rest.others; more != 0) {
        text = fmt::format(" {} went to {} of {}{}", signal,
                           counted(more, "more process", "more processes"), glued(key.place),
                           described != 0 ? ":" : ".");
    }
    if (!rest.at_once.empty()) {
        text += fmt::format(" it ended {} at once.", names(rest.at_once));
    }
    if (!rest.exited.empty()) {
        text += fmt::format(" {} exited by {} at once.", names(rest.exited),
                            rest.exited.size() == 1 ? "itself" : "themselves");
    }
    for (const Story* story : std::span(rest.slow).first(std::min(rest.slow.size(), kNamed))) {
        text += fmt::format(" {} {}", who(story->death.target), story->did);
    }
    if (rest.slow.size() > kNamed) {
        text += fmt::format(" {} more did not end at once.", rest.slow.size() - kNamed);
    }
    if (!rest.killed.empty()) {
        text += fmt::format(" {} of {} got SIGKILL and no {} before.", names(rest.killed),
                            glued(key.place), signal);
    }
    return text;
}

/// @return whose deaths it describes with its own
std::vector<const Death*> describe(Story& main, const Asked& key, const Rest& rest)
{
    std::vector<const Death*> members = rest.at_once;
    members.insert(members.end(), rest.exited.begin(), rest.exited.end());
    members.insert(members.end(), rest.killed.begin(), rest.killed.end());
    for (const Story* story : rest.slow) {
        members.push_back(&story->death);
        main.made.severity = std::min(main.made.severity, story->made.severity);
    }
    if (members.empty()) {
        return members;
    }
    main.made.code = key.place.find(' ') == key.place.npos ? Code::unit_shutdown
                                                           : Code::container_shutdown;
    main.made.text += others(key, rest);
    for (const Death* death : members) {
        main.made.subjects.push_back(
            {death->target, "inside",
             lineage_at(main.report, death->target.tgid, death->first_ns())});
    }
    return members;
}

/// Of the same unit by the same process: those that were asked while others still ran.  One that
/// is started again is stopped again.
std::vector<std::vector<Story*>> stops_of(std::vector<Story*> slow)
{
    std::ranges::stable_sort(slow, {}, [](const Story* story) { return story->send.first_ns; });
    std::vector<std::vector<Story*>> stops;
    for (Story* story : slow) {
        if (stops.empty() || story->send.first_ns > ended_ns(stops.back())) {
            stops.emplace_back();
        }
        stops.back().push_back(story);
    }
    return stops;
}

}  // namespace

std::set<const Death*> tell_unit_shutdowns(std::list<Story>& stories)
{
    std::map<Asked, std::vector<Story*>> stops;
    for (Story& story : stories) {
        if (auto key = asked(story)) {
            stops[std::move(*key)].push_back(&story);
        }
    }
    std::set<const Death*> described;
    for (const auto& [key, all] : stops) {
        for (const std::vector<Story*>& slow : stops_of(all)) {
            Story& main = **std::ranges::max_element(
                slow, {}, [](const Story* story) { return story->lasted_ns; });
            const std::vector<const Death*> others = describe(main, key, rest_of(key, main, slow));
            described.insert(others.begin(), others.end());
        }
    }
    return described;
}

}  // namespace ipcscope::diagnose
