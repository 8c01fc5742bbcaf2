// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/loss_table.hpp"

#include <numeric>

namespace ipcscope::aggregate {
namespace {

using Totals = std::array<ipcscope_tally, IPCSCOPE_KIND_COUNT>;

/// Over all CPUs, by kind.
Totals totals_of(const source::Ledger& ledger)
{
    Totals totals{};
    for (const auto& cpu : ledger) {
        for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
            totals[kind].emitted += cpu.kind[kind].emitted;
            totals[kind].filtered += cpu.kind[kind].filtered;
            for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause)
                totals[kind].lost[cause] += cpu.kind[kind].lost[cause];
        }
    }
    return totals;
}

std::vector<CpuLoss> by_cpu(const source::Ledger& ledger)
{
    std::vector<CpuLoss> out;
    for (unsigned cpu = 0; cpu < ledger.size(); ++cpu)
        for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause)
            for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind)
                if (const auto count = ledger[cpu].kind[kind].lost[cause])
                    out.push_back({cpu, cause, kind, count});
    return out;
}

}  // namespace

/// Every record that was emitted has been shown, or is one of those that could
/// not be decoded.  Only then the sum is the number of events that happened;
/// a cut capture has records whose ledger is missing, or the reverse, and its
/// sum is merely what is known.
LossLedger LossTable::ledger(const source::Ledger& ledger, bool final_ledger,
                             std::uint64_t late) const
{
    const Totals totals = totals_of(ledger);
    LossLedger out;
    out.malformed = malformed_;
    out.late = late;
    out.by_cpu = by_cpu(ledger);

    std::uint64_t missing = 0;   // emitted, but not shown
    bool in_excess = false;      // shown, but not emitted
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        if (totals[kind].emitted >= shown_[kind])
            missing += totals[kind].emitted - shown_[kind];
        else
            in_excess = true;
    }
    out.exact = final_ledger && !ledger.empty() && !in_excess && missing == malformed_;

    out.lost[IPCSCOPE_LOST_DAMAGED] = malformed_;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        const ipcscope_tally& tally = totals[kind];
        std::uint64_t kind_lost = out.exact ? tally.emitted - shown_[kind] : 0;
        for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
            out.lost[cause] += tally.lost[cause];
            kind_lost += tally.lost[cause];
        }
        out.shown += shown_[kind];
        out.filtered += tally.filtered;
        out.kinds[kind] = {shown_[kind] + tally.filtered + kind_lost, shown_[kind],
                           tally.filtered, kind_lost};
    }
    out.generated =
        std::accumulate(out.lost.begin(), out.lost.end(), out.shown + out.filtered);
    return out;
}

}  // namespace ipcscope::aggregate
