// SPDX-License-Identifier: GPL-2.0-only
// What is in uninterruptible sleep as the trace ends, and had no signal in it.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

/// Attaching takes some of the trace.
constexpr std::uint64_t kStart_ns = 100'000'000;

bool has_finding(const Findings& findings, std::uint32_t tgid)
{
    return std::ranges::any_of(findings, [&](const Finding& finding) {
        return !finding.subjects.empty() && finding.subjects.front().task.tgid == tgid;
    });
}

Finding in_d(const aggregate::Report& report, const aggregate::StuckRow& row)
{
    const std::uint64_t ns = since(row.end_ns, row.start_ns);
    const std::string thread =
        row.tid == row.process.tgid ? "" : fmt::format(" (its thread {})", row.tid);
    const std::string when = row.start_ns <= report.host.start_ns + kStart_ns
        ? fmt::format("from before the trace to its end, for {} of it", time(ns))
        : fmt::format("for {} when the trace ended", time(ns));
    Finding made =
        finding(Code::d_state,
                fmt::format("{}{} was in {}, in {}, {}.", who(row.process), thread,
                            row.state == decode::State::killable ? "killable sleep (K)"
                                                                 : "uninterruptible sleep (D)",
                            syscall(report.host, row.syscall), when));
    made.advice = fmt::format("`ipcscope inspect {}` shows what it waits for in the kernel.",
                              row.process.tgid);
    made.subjects.push_back({row.process, "sleeper"});
    made.at_ns = row.start_ns;
    made.duration_ns = ns;
    made.evidence = {{"tid", std::uint64_t{row.tid}}, {"syscall", std::uint64_t{row.syscall}}};
    return made;
}

}  // namespace

void find_d_states(const aggregate::Report& report, Findings& findings)
{
    for (const aggregate::StuckRow& row : report.stuck) {
        if (since(row.end_ns, row.start_ns) >= kThresholds.stuck_ns &&
            !has_finding(findings, row.process.tgid)) {
            findings.push_back(in_d(report, row));
        }
    }
}

}  // namespace ipcscope::diagnose
