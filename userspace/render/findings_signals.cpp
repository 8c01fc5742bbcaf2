// SPDX-License-Identifier: GPL-2.0-only
// Signals that never arrived, arrived late, or arrived as one of many.
#include <algorithm>

#include <fmt/format.h>

#include "decode/decode.hpp"
#include "render/names.hpp"
#include "render/text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::SignalRow;

constexpr std::uint64_t kLate_ns = 100'000'000;
constexpr std::uint64_t kStillPending_ns = 1'000'000'000;
constexpr std::uint64_t kManyMerged = 10;
constexpr std::size_t kShownPerKind = 3;

/// "SIGUSR1 from 5 (a) to 6 (b)"
std::string which(const SignalRow& row)
{
    return fmt::format("{} from {} to {}", decode::signal_name(row.signal),
                       sender(row.sender, row.origin), who(row.target));
}

/// The rows of which `weight` is not 0, by weight: the first few as findings.
template <typename Weight, typename Sentence>
void worst(const Page& page, Findings& findings, Weight weight, Sentence sentence)
{
    std::vector<const SignalRow*> rows;
    for (const SignalRow& row : page.report.signals)
        if (weight(row) != 0) rows.push_back(&row);
    std::ranges::stable_sort(rows, [&](const SignalRow* a, const SignalRow* b) {
        return weight(*a) > weight(*b);
    });
    const std::size_t shown = std::min(rows.size(), kShownPerKind);
    for (std::size_t at = 0; at < shown; at++) findings.push_back({sentence(*rows[at])});
    if (rows.size() > shown)
        findings.back().text += fmt::format(" So for {} (see Signals).",
                                            counted(rows.size() - shown, "more row",
                                                    "more rows"));
}

void find_overflow(const Page& page, Findings& findings)
{
    worst(page, findings,
          [](const SignalRow& row) { return row.outcomes[IPCSCOPE_RESULT_OVERFLOW]; },
          [](const SignalRow& row) {
              return fmt::format(
                  "{}: {} of {} were lost by the kernel, because the queue of pending "
                  "signals was full (RLIMIT_SIGPENDING of the receiver's user).",
                  which(row), grouped(row.outcomes[IPCSCOPE_RESULT_OVERFLOW]),
                  grouped(sent(row)));
          });
    worst(page, findings,
          [](const SignalRow& row) { return row.outcomes[IPCSCOPE_RESULT_INFO_LOST]; },
          [](const SignalRow& row) {
              return fmt::format(
                  "{}: {} of {} came without their siginfo, because the queue of pending "
                  "signals was full.",
                  which(row), grouped(row.outcomes[IPCSCOPE_RESULT_INFO_LOST]),
                  grouped(sent(row)));
          });
}

void find_late(const Page& page, Findings& findings)
{
    worst(page, findings,
          [](const SignalRow& row) {
              return row.latency.max() >= kLate_ns ? row.latency.max() : 0;
          },
          [&](const SignalRow& row) {
              std::string text = fmt::format("{} took {} to arrive", which(row),
                                             glued(page.style.time(row.latency.max())));
              if (row.latency.count() > 1)
                  text += fmt::format(" (the longest of {}; median {})",
                                      grouped(row.latency.count()),
                                      glued(page.style.time(row.latency.quantile(0.5))));
              return text + ": blocked, stopped or not running until then.";
          });
    worst(page, findings,
          [&](const SignalRow& row) {
              const std::uint64_t waited = since(page.report.end_ns, row.last_ns);
              return waited >= kStillPending_ns ? row.pending : 0;
          },
          [&](const SignalRow& row) {
              return fmt::format(
                  "{}: {} still pending when the trace ended, {} after the last one was "
                  "sent. The receiver blocks it, or did not run.",
                  which(row), counted(row.pending, "was", "were"),
                  glued(page.style.time(since(page.report.end_ns, row.last_ns))));
          });
}

void find_merged(const Page& page, Findings& findings)
{
    worst(page, findings,
          [](const SignalRow& row) {
              const std::uint64_t merged = row.outcomes[IPCSCOPE_RESULT_ALREADY_PENDING];
              return merged >= kManyMerged && at_least(merged, sent(row), 1, 2) ? merged : 0;
          },
          [](const SignalRow& row) {
              return fmt::format(
                  "{}: {} of {} merged into one that was already pending. Where each "
                  "counts, queue real-time signals (SIGRTMIN and up) instead.",
                  which(row), grouped(row.outcomes[IPCSCOPE_RESULT_ALREADY_PENDING]),
                  grouped(sent(row)));
          });
}

}  // namespace

void find_bad_signals(const Page& page, Findings& findings)
{
    find_overflow(page, findings);
    find_late(page, findings);
    find_merged(page, findings);
}

}  // namespace ipcscope::render
