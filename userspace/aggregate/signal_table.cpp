// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/signal_table.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

constexpr std::size_t index(End end) { return static_cast<std::size_t>(end); }

std::uint64_t total(const SignalRow& row)
{
    return std::accumulate(row.outcomes.begin(), row.outcomes.end(), std::uint64_t{0});
}

/// Ends that only the target's own records, or their absence, can show.
constexpr std::array kTargetsOwn{End::pending, End::target_exited, End::unseen, End::flushed};

void move_outside(SignalRow& row)
{
    for (const End end : kTargetsOwn) {
        row.ends[index(End::outside)] += row.at(end);
        row.ends[index(end)] = 0;
    }
}

}  // namespace

std::uint64_t SignalRow::matched() const
{
    return std::accumulate(ends.begin(), ends.begin() + index(End::death) + 1,
                           std::uint64_t{0});
}

std::uint64_t SignalRow::unmatched() const
{
    return std::accumulate(ends.begin() + index(End::not_queued) + 1, ends.end(),
                           std::uint64_t{0});
}

HeldBy held_by(const SignalWait& wait)
{
    const Hindrance& kept = wait.hindrance;
    const std::array<std::pair<std::uint64_t, HeldBy>, 6> states{{
        {kept.stopped_ns, HeldBy::stopped},
        {kept.frozen_ns, HeldBy::frozen},
        {kept.traced_ns, HeldBy::traced},
        {kept.uninterruptible_ns, HeldBy::uninterruptible},
        {kept.killable_ns, HeldBy::killable},
        {kept.runnable_ns, HeldBy::runnable},
    }};
    const auto& [ns, state] = *std::ranges::max_element(states);
    const std::uint64_t half_ns = since(wait.ended_ns, wait.generated_ns) / 2;
    if (ns != 0 && ns >= half_ns) return state;
    if (!wait.blocked && !wait.blocking) return HeldBy::unknown;
    if (!wait.blocking || wait.blocking->by != Blocking::By::handler) return HeldBy::mask;
    return in_handler_ns(wait, wait.ended_ns) >= half_ns ? HeldBy::handler : HeldBy::mask;
}

std::uint64_t in_handler_ns(const SignalWait& wait, std::uint64_t end_ns)
{
    const Blocking& blocking = *wait.blocking;
    const std::uint64_t until_ns =
        blocking.until_ns == 0 ? end_ns : std::min(blocking.until_ns, end_ns);
    const std::uint64_t first_ns = since(until_ns, std::max(blocking.since_ns, wait.generated_ns));
    return std::clamp(blocking.inside_ns, first_ns, since(end_ns, wait.generated_ns));
}

std::size_t SignalTable::Hash::operator()(const Key& key) const
{
    std::size_t hash = mix(mix(key.sender.tgid, key.target.tgid), key.signal);
    hash = mix(hash, static_cast<std::uint64_t>(key.origin));
    for (const Comm& comm : {key.sender.comm, key.target.comm})
        for (const std::uint64_t half : std::bit_cast<std::array<std::uint64_t, 2>>(comm))
            hash = mix(hash, half);
    return hash;
}

namespace {

/// A thread may have another name; where that of its process is not known, its own.
Task process_of(const Task& thread, const Comm& process)
{
    return {thread.tgid, 0, process.empty() ? thread.comm : process};
}

}  // namespace

void SignalTable::add(const correlate::SignalInterval& signal)
{
    Key key;
    if (decode::names_sender(signal.origin))
        key.sender = process_of(signal.sender, signal.sender_process);
    key.target = process_of(signal.target, signal.target_process);
    key.signal = signal.signal;
    key.origin = signal.origin;
    SignalRow& row = rows_.use(key);
    if (total(row) == 0) {
        row.sender = key.sender;
        row.target = key.target;
        row.signal = key.signal;
        row.origin = key.origin;
        row.first_ns = signal.generated_ns;
    }
    row.first_ns = std::min(row.first_ns, signal.generated_ns);
    row.last_ns = std::max(row.last_ns, signal.generated_ns);
    ++row.outcomes[static_cast<std::size_t>(signal.outcome)];
    ++row.ends[index(signal.end)];
    if (signal.unkillable && signal.outcome == decode::Outcome::ignored) ++row.to_unkillable;
    if (signal.requeued) ++row.requeued;
    note_wait(row, signal);
    if (signal.matched()) row.latency.add(signal.latency_ns());
}

/// What the receiver did meanwhile; of a shorter wait than a SLICE there is no record.
void SignalTable::note_wait(SignalRow& row, const correlate::SignalInterval& signal) const
{
    const bool pending = signal.end == End::pending;
    if (pending && row.still_pending && row.still_pending->generated_ns <= signal.generated_ns)
        return;
    if (!pending && (!signal.matched() || signal.latency_ns() < IPCSCOPE_SLICE_NS)) return;
    const std::uint64_t to = pending ? UINT64_MAX : signal.ended_ns;
    SignalWait wait{signal.generated_ns, pending ? 0 : signal.ended_ns, signal.blocked,
                    signal.traced,
                    stays_.between(signal.target.tgid, signal.generated_ns, to,
                                   signal.shared ? 0 : signal.target.tid),
                    signal.blocked ? masks_.why(signal.target.tid, signal.signal,
                                                signal.generated_ns)
                                   : masks_.runs_since(signal.target.tid, signal.signal,
                                                       signal.generated_ns),
                    signal.shared || signal.target.tid == signal.target.tgid ? Task{}
                                                                             : signal.target};
    if (pending) {
        row.still_pending = std::move(wait);
        return;
    }
    ++row.held[static_cast<std::size_t>(held_by(wait))];
    if (signal.latency_ns() > row.latency.max()) row.longest = std::move(wait);
}

std::vector<SignalRow> SignalTable::rows(const Coverage& coverage) const
{
    std::vector<SignalRow> out;
    for (const auto& [key, counted] : rows_) {
        out.push_back(counted);
        if (!coverage.covers(key.target.tgid)) move_outside(out.back());
    }
    std::stable_sort(out.begin(), out.end(), [](const SignalRow& a, const SignalRow& b) {
        return std::pair(total(b), a.first_ns) < std::pair(total(a), b.first_ns);
    });
    return out;
}

}  // namespace ipcscope::aggregate
