// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/live.hpp"

#include "base/units.hpp"
#include "diagnose/known_until.hpp"

namespace ipcscope::diagnose {
namespace {

/// A sum over the whole trace, as a slow stage, has no begin and grows with it.
bool is_of_one_time(const Finding& finding)
{
    return finding.severity != Severity::note && finding.at_ns != 0 && !finding.subjects.empty();
}

/// What goes on is an error, or may yet turn out to be short.
bool has_ended(const Finding& finding, std::uint64_t now_ns)
{
    return finding.severity != Severity::error &&
           plus(finding.at_ns, finding.duration_ns) <= known_until_ns(now_ns);
}

}  // namespace

Findings NewFindings::of(const Findings& findings, std::uint64_t now_ns)
{
    Findings fresh;
    for (const Finding& finding : findings) {
        const bool ended = has_ended(finding, now_ns);
        if (!is_of_one_time(finding) || finding.at_ns > known_until_ns(now_ns) ||
            (!ended && finding.severity != Severity::error)) {
            continue;
        }
        const Key key{finding.code, finding.subjects.front().task.tgid, finding.at_ns};
        const auto [shown, is_new] = shown_.try_emplace(key, ended);
        if (!is_new && (shown->second || !ended)) {
            continue;
        }
        shown->second = ended;
        fresh.push_back(finding);
        if (shown_.size() > kMost) {
            shown_.erase(shown_.begin());
        }
    }
    return fresh;
}

}  // namespace ipcscope::diagnose
