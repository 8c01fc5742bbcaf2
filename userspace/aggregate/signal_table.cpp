// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/signal_table.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace ipcscope::aggregate {
namespace {

using correlate::End;
using Counter = std::uint64_t SignalRow::*;

/// Which counter an end adds to; by End.  What was not queued is in outcomes.
constexpr std::array<Counter, 9> kCounters{
    &SignalRow::to_handler, &SignalRow::by_default,    &SignalRow::accepted,
    &SignalRow::died,       nullptr,                   &SignalRow::pending,
    &SignalRow::target_exited, &SignalRow::unseen,     &SignalRow::flushed,
};
static_assert(kCounters.size() == static_cast<std::size_t>(End::flushed) + 1);

std::uint64_t total(const SignalRow& row)
{
    return std::accumulate(row.outcomes.begin(), row.outcomes.end(), std::uint64_t{0});
}

decode::Task sender_of(std::uint32_t tgid, decode::Origin origin, const Names& names)
{
    switch (origin) {
    case decode::Origin::kernel: return {0, 0, SafeText::escape("kernel")};
    case decode::Origin::timer: return {0, 0, SafeText::escape("timer")};
    case decode::Origin::task: break;
    }
    return names.process(tgid);
}

}  // namespace

void SignalTable::add(const correlate::SignalInterval& signal)
{
    const auto sender = signal.origin == decode::Origin::task ? signal.sender.tgid : 0;
    SignalRow& row = rows_[{sender, signal.target.tgid, signal.signal, signal.origin}];
    const auto seen = total(row);
    row.first_ns = seen ? std::min(row.first_ns, signal.generated_ns) : signal.generated_ns;
    row.last_ns = std::max(row.last_ns, signal.generated_ns);
    ++row.outcomes[static_cast<std::size_t>(signal.outcome)];
    if (const Counter counter = kCounters[static_cast<std::size_t>(signal.end)])
        ++(row.*counter);
    if (signal.unkillable && signal.outcome == decode::Outcome::ignored) ++row.to_unkillable;
    if (signal.matched()) row.latency.add(signal.latency_ns());
}

std::vector<SignalRow> SignalTable::rows(const Names& names) const
{
    std::vector<SignalRow> out;
    for (const auto& [key, counted] : rows_) {
        SignalRow& row = out.emplace_back(counted);
        const auto& [sender, target, signal, origin] = key;
        row.signal = signal;
        row.origin = origin;
        row.sender = sender_of(sender, origin, names);
        row.target = names.process(target);
    }
    std::stable_sort(out.begin(), out.end(), [](const SignalRow& a, const SignalRow& b) {
        return total(a) > total(b);
    });
    return out;
}

}  // namespace ipcscope::aggregate
