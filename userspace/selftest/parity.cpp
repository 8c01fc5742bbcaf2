// SPDX-License-Identifier: GPL-2.0-only
#include "selftest/parity.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "decode/decode.hpp"

namespace ipcscope::selftest {
namespace {

template <typename Body>
Body as(const Record& record)
{
    Body body{};
    std::memcpy(&body, record.data(), std::min(sizeof body, record.size()));
    return body;
}

unsigned kind_of(const Record& record)
{
    return as<ipcscope_header>(record).kind;
}

/// The thread that a record is about: two backends may be told in another order
/// of threads, never of the events of one.
std::uint32_t thread_of(const Record& record)
{
    return kind_of(record) == IPCSCOPE_TASK_FREE ? as<ipcscope_task_free>(record).tid
                                                 : as<ipcscope_header>(record).tid;
}

struct Range {
    unsigned kind;          ///< 0: any
    std::size_t offset;
    std::size_t size;
};

#define IPCSCOPE_FIELD(kind, type, field) \
    Range{kind, offsetof(type, field), sizeof(type::field)}

/// What may differ: the time at which a hook came, and what hangs on it.
constexpr Range kApart[] = {
    IPCSCOPE_FIELD(0, ipcscope_header, time_ns),
    IPCSCOPE_FIELD(0, ipcscope_header, lost_before),
    IPCSCOPE_FIELD(IPCSCOPE_SIGNAL_SEND, ipcscope_signal_send, enter_ns),
    IPCSCOPE_FIELD(IPCSCOPE_SIGNAL_GET, ipcscope_signal_get, enter_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_READ, ipcscope_pipe_op, enter_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_READ, ipcscope_pipe_op, blocked_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_READ, ipcscope_pipe_op, runqueue_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_READ, ipcscope_pipe_op, uninterruptible_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_READ, ipcscope_pipe_op, woken_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_WRITE, ipcscope_pipe_op, enter_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_WRITE, ipcscope_pipe_op, blocked_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_WRITE, ipcscope_pipe_op, runqueue_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_WRITE, ipcscope_pipe_op, uninterruptible_ns),
    IPCSCOPE_FIELD(IPCSCOPE_PIPE_WRITE, ipcscope_pipe_op, woken_ns),
    IPCSCOPE_FIELD(IPCSCOPE_KILL, ipcscope_kill, stack_depth),
    IPCSCOPE_FIELD(IPCSCOPE_KILL, ipcscope_kill, stack),
    // Whoever ran the callback that frees a task is nobody's business.
    IPCSCOPE_FIELD(IPCSCOPE_TASK_FREE, ipcscope_header, tgid),
    IPCSCOPE_FIELD(IPCSCOPE_TASK_FREE, ipcscope_header, tid),
    IPCSCOPE_FIELD(IPCSCOPE_TASK_FREE, ipcscope_header, comm),
};

Record comparable(const Record& record)
{
    Record same = record;
    for (const Range& range : kApart) {
        if ((range.kind == 0 || range.kind == kind_of(record)) &&
            range.offset + range.size <= same.size()) {
            std::fill_n(same.begin() + static_cast<std::ptrdiff_t>(range.offset), range.size,
                        std::byte{0});
        }
    }
    return same;
}

std::string describe(const Record& first, const Record& second, std::uint32_t thread)
{
    const auto [one, two] = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
    const auto byte = [](const Record& record, auto at) {
        return at == record.end() ? std::string("none")
                                  : fmt::format("{:#04x}", static_cast<unsigned>(*at));
    };
    return fmt::format("thread {}: byte {} of {} is {}, and {}", thread, one - first.begin(),
                       decode::kind_name(kind_of(first)), byte(first, one), byte(second, two));
}

std::map<std::uint32_t, std::vector<Record>> by_thread(const Kept& kept, unsigned kind)
{
    std::map<std::uint32_t, std::vector<Record>> threads;
    for (const Record& record : kept.all()) {
        if (kind_of(record) == kind) {
            threads[thread_of(record)].push_back(comparable(record));
        }
    }
    return threads;
}

}  // namespace

Result<void> Kept::records(unsigned cpu, std::span<const std::byte> bytes)
{
    while (cpu != kCollector && !bytes.empty()) {
        const std::size_t size = decode::record_size(bytes);
        if (size == 0) {
            return fail(Exit::producer, fmt::format("CPU {} gave half a record", cpu));
        }
        records_.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes = bytes.subspan(size);
    }
    return {};
}

Result<void> Kept::ledger(const source::Ledger& ledger)
{
    ledger_ = ledger;
    return {};
}

std::uint64_t Kept::count(unsigned kind) const
{
    return static_cast<std::uint64_t>(
        std::ranges::count_if(records_, [&](const Record& record) {
            return kind_of(record) == kind;
        }));
}

std::uint64_t Kept::tally(unsigned kind, __u64 ipcscope_tally::*what) const
{
    std::uint64_t sum = 0;
    for (const ipcscope_ledger& cpu : ledger_) {
        sum += cpu.kind[kind].*what;
    }
    return sum;
}

std::uint64_t Kept::lost() const
{
    std::uint64_t sum = 0;
    for (const ipcscope_ledger& cpu : ledger_) {
        sum += cpu.lost;
    }
    return sum;
}

KindParity compare(const Kept& first, const Kept& second, unsigned kind)
{
    KindParity parity;
    parity.first = first.count(kind);
    parity.second = second.count(kind);
    const auto ones = by_thread(first, kind);
    const auto twos = by_thread(second, kind);
    for (const auto& [thread, records] : ones) {
        const auto other = twos.find(thread);
        const std::size_t pairs =
            other == twos.end() ? 0 : std::min(records.size(), other->second.size());
        for (std::size_t i = 0; i < pairs; i++) {
            if (records[i] != other->second[i]) {
                parity.unequal++;
                if (parity.example.empty()) {
                    parity.example = describe(records[i], other->second[i], thread);
                }
            }
        }
        parity.unequal += records.size() - pairs;
    }
    return parity;
}

Histogram blocked_reads(const Kept& kept)
{
    Histogram histogram;
    for (const Record& record : kept.all()) {
        const auto read = as<ipcscope_pipe_op>(record);
        if (kind_of(record) == IPCSCOPE_PIPE_READ && read.sleeps > 0) {
            histogram.add(read.header.time_ns - read.enter_ns);
        }
    }
    return histogram;
}

Histogram signal_latencies(const Kept& kept, unsigned signal)
{
    std::vector<std::uint64_t> made, taken;
    for (const Record& record : kept.all()) {
        const unsigned kind = kind_of(record);
        if (kind == IPCSCOPE_SIGNAL_GENERATE &&
            as<ipcscope_signal_generate>(record).sig == signal) {
            made.push_back(as<ipcscope_header>(record).time_ns);
        } else if (kind == IPCSCOPE_SIGNAL_DELIVER &&
                   as<ipcscope_signal_deliver>(record).sig == signal) {
            taken.push_back(as<ipcscope_header>(record).time_ns);
        }
    }
    std::ranges::sort(made);
    std::ranges::sort(taken);
    Histogram histogram;
    for (std::size_t i = 0; i < std::min(made.size(), taken.size()); i++) {
        histogram.add(taken[i] - made[i]);
    }
    return histogram;
}

std::map<unsigned, std::uint64_t> generated(const Kept& kept)
{
    std::map<unsigned, std::uint64_t> numbers;
    for (const Record& record : kept.all()) {
        if (kind_of(record) == IPCSCOPE_SIGNAL_GENERATE) {
            numbers[as<ipcscope_signal_generate>(record).sig]++;
        }
    }
    return numbers;
}

bool same_bucket(const Histogram& first, const Histogram& second)
{
    const auto bucket = [](const Histogram& histogram) {
        return static_cast<int>(Histogram::index(histogram.quantile(0.5)));
    };
    return first.count() > 0 && first.count() == second.count() &&
           std::abs(bucket(first) - bucket(second)) <= 1;
}

}  // namespace ipcscope::selftest
