// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/sort.hpp"

#include <algorithm>
#include <numeric>

#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

using Value = std::optional<std::uint64_t>;

Value value_of(const CallStats& calls, SortKey key)
{
    switch (key) {
    case SortKey::count: return calls.count;
    case SortKey::bytes: return calls.bytes;
    case SortKey::waited: return calls.blocked_ns;
    case SortKey::latency: return calls.latency.max();
    }
    return {};
}

/// Of both sides: bytes that were written are read, and the longest call is one of them.
Value value_of(const ChannelRow& channel, SortKey key)
{
    const std::uint64_t writes = *value_of(channel.writes, key), reads = *value_of(channel.reads, key);
    switch (key) {
    case SortKey::count: return plus(writes, reads);
    case SortKey::waited:
        return plus(plus(writes, reads), plus(channel.writes.polled_ns, channel.reads.polled_ns));
    case SortKey::bytes:
    case SortKey::latency: break;
    }
    return std::max(writes, reads);
}

Value value_of(const ObjectRow& object, SortKey key)
{
    std::uint64_t value = 0;
    for (const OpRow& row : object.ops) {
        const std::uint64_t of_op = *value_of(row, key);
        value = key == SortKey::latency ? std::max(value, of_op) : plus(value, of_op);
    }
    return value;
}

Value value_of(const SocketRow& socket, SortKey key)
{
    switch (key) {
    case SortKey::count: return socket.sends;
    case SortKey::bytes: return socket.bytes;
    case SortKey::latency: return socket.latency.max();
    case SortKey::waited: break;
    }
    return {};
}

Value value_of(const correlate::KillInterval& kill, SortKey key)
{
    if (key != SortKey::latency) {
        return {};
    }
    return since(kill.gone_ns.value_or(kill.trace_end_ns), kill.sent_ns);
}

Value value_of(const StatLine& line, SortKey key)
{
    switch (key) {
    case SortKey::count: return line.count;
    case SortKey::bytes: return line.bytes;
    case SortKey::latency: return line.latency.max();
    case SortKey::waited: break;
    }
    return {};
}

Value value_of(const SignalRow& row, SortKey key) { return sort_value(row, key); }

template <typename Rows>
void sort_rows(Rows& rows, SortKey key)
{
    std::ranges::stable_sort(rows, std::ranges::greater{},
                             [&](const auto& row) { return value_of(row, key); });
}

}  // namespace

std::optional<SortKey> find_sort_key(std::string_view name)
{
    const auto at = std::ranges::find(kSortKeys, name);
    if (at == kSortKeys.end()) {
        return std::nullopt;
    }
    return static_cast<SortKey>(at - kSortKeys.begin());
}

std::optional<std::uint64_t> sort_value(const SignalRow& row, SortKey key)
{
    switch (key) {
    case SortKey::count:
        return std::accumulate(row.outcomes.begin(), row.outcomes.end(), std::uint64_t{0}, plus);
    case SortKey::latency: return row.latency.max();
    case SortKey::bytes:
    case SortKey::waited: break;
    }
    return std::nullopt;
}

void sort(Report& report, SortKey key)
{
    sort_rows(report.signals, key);
    sort_rows(report.channels, key);
    sort_rows(report.objects, key);
    sort_rows(report.sockets, key);
    sort_rows(report.kills, key);
}

void sort(StatReport& report, SortKey key) { sort_rows(report.lines, key); }

}  // namespace ipcscope::aggregate
