// SPDX-License-Identifier: GPL-2.0-only
// Two captures: what changed from A to B in latencies, findings and waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aggregate/report.hpp"
#include "bench/compare.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::compare {

/// A report, and what is found in it.  Processes and objects of two traces have other numbers:
/// they are matched by what their processes are called.
struct Side {
    std::string name;   ///< of the file
    const aggregate::Report& report;
    const diagnose::Findings& findings;
};

/// Latencies of one thing that happened often: the calls of one operation on objects between
/// processes of the same names, the signals of one number to those of one name.
struct LatencyChange {
    std::string what;   ///< "pipe yes → head, write"; safe
    std::uint64_t count_a = 0;
    std::uint64_t count_b = 0;
    std::optional<bench::Estimate> a;       ///< of the median, in ns
    std::optional<bench::Estimate> b;
    std::optional<bench::Estimate> ratio;   ///< B / A
    bench::Verdict verdict = bench::Verdict::unclear;
};

/// Time that was waited, as a share of the trace: one sum in each, so that it has no interval.
struct WaitChange {
    std::string what;   ///< "pipe yes → head, full", "stage gzip, for input"; safe
    double a = 0;       ///< waited time / time of the trace: above 1 where several waited
    double b = 0;
    bool in_a = true;   ///< false: A has no such pipe or stage, which is not a wait of 0
    bool in_b = true;
};

/// Findings of one code about processes of the same names.
struct FindingChange {
    diagnose::Code code{};
    diagnose::Severity severity{};
    std::uint64_t count_a = 0;
    std::uint64_t count_b = 0;
    std::string text;   ///< of the first one, in B where it is there; safe

    bool appeared() const { return count_a == 0; }
    bool disappeared() const { return count_b == 0; }
};

struct ReportDiff {
    std::string name_a;
    std::string name_b;
    std::uint64_t window_a_ns = 0;
    std::uint64_t window_b_ns = 0;
    double fail_above_percent = bench::kFailAbovePercent;
    std::vector<bench::Difference> differences;   ///< of the machines and the traces
    std::vector<std::string> warnings;
    std::vector<FindingChange> findings;    ///< by severity, then those that changed first
    std::vector<LatencyChange> latencies;   ///< by verdict, then by the change
    std::vector<WaitChange> waits;          ///< by the change, descending

    std::size_t count(bench::Verdict verdict) const;
    /// A latency is worse, or there is a finding of a warning or an error that A has not.
    bool regressed() const;
};

ReportDiff compare(const Side& a, const Side& b,
                   double fail_above_percent = bench::kFailAbovePercent);

}  // namespace ipcscope::compare
