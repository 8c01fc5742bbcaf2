// SPDX-License-Identifier: GPL-2.0-only
#include "selftest/parity.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/decode.hpp"
#include "decode/fields.hpp"
#include "decode/names.hpp"

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

/// Whether two backends may differ in a field that means this.
bool is_by_chance(decode::Meaning meaning)
{
    using enum decode::Meaning;
    return meaning == TIME || meaning == SPAN || meaning == WAKER || meaning == STACK ||
           meaning == DEPTH || meaning == PAD;
}

void clear(Record& record, std::size_t offset, std::size_t size)
{
    if (offset + size <= record.size()) {
        std::fill_n(record.begin() + static_cast<std::ptrdiff_t>(offset), size, std::byte{0});
    }
}

#define IPCSCOPE_CLEAR(record, type, field) \
    clear(record, offsetof(type, field), sizeof(type::field))

bool is_call(unsigned kind)
{
    return kind >= IPCSCOPE_CALL_FIRST && kind <= IPCSCOPE_CALL_LAST;
}

/// The record with what may differ set to zero.
Record comparable(const Record& record)
{
    const unsigned kind = kind_of(record);
    Record same = record;
    IPCSCOPE_CLEAR(same, ipcscope_header, time_ns);
    IPCSCOPE_CLEAR(same, ipcscope_header, lost_before);
    for (const decode::Field& field : decode::fields_of(kind)) {
        // A thread's own start is the same for all.
        if (is_by_chance(field.meaning) && kind != IPCSCOPE_THREAD) {
            clear(same, field.offset, field.size * field.count);
        }
    }
    if (is_call(kind) && same.size() >= sizeof(ipcscope_call)) {
        // A switch between the two hooks at a call's exit makes one record long; what
        // a long one has more is by chance.
        IPCSCOPE_CLEAR(same, ipcscope_header, size);
        same.resize(sizeof(ipcscope_call));
    }
    return same;
}

/// The name of the field at `offset`.
std::string_view field_at(const Record& record, std::size_t offset)
{
    const unsigned kind = kind_of(record);
    const auto covers = [&](const decode::Field& field) {
        return field.offset <= offset && offset < field.offset + field.size * field.count;
    };
    using Fields = std::span<const decode::Field>;
    const Fields tail = is_call(kind) ? decode::tail_fields(as<ipcscope_call>(record).type)
                                      : Fields();
    for (const Fields fields : {decode::fields_of(kind), tail}) {
        if (const auto found = std::ranges::find_if(fields, covers); found != fields.end()) {
            return found->name;
        }
    }
    return offset < sizeof(ipcscope_header) ? "the header" : "the rest";
}

std::string describe(const Record& first, const Record& second, std::uint32_t thread)
{
    const auto one = std::ranges::mismatch(first, second).in1 - first.begin();
    const auto at = static_cast<std::size_t>(one);
    const auto byte = [&](const Record& record) {
        return at < record.size() ? fmt::format("{:#04x}", static_cast<unsigned>(record[at]))
                                  : std::string("none");
    };
    return fmt::format("thread {}: {} of {}, byte {}, is {}, and {}", thread,
                       field_at(first, at), decode::kind_name(kind_of(first)), at,
                       byte(first), byte(second));
}

/// The order of the events of one thread is the same for all; that of threads is not.
using ByThread = std::map<std::uint32_t, std::vector<Record>>;

ByThread by_thread(const Kept& kept, unsigned kind)
{
    ByThread threads;
    for (const Record& record : kept.all()) {
        if (kind_of(record) == kind) {
            threads[as<ipcscope_header>(record).tid].push_back(record);
        }
    }
    return threads;
}

void compare_in_order(const Kept& first, const Kept& second, unsigned kind,
                      KindParity& parity)
{
    const ByThread twos = by_thread(second, kind);
    for (const auto& [thread, records] : by_thread(first, kind)) {
        const auto other = twos.find(thread);
        const std::size_t pairs =
            other == twos.end() ? 0 : std::min(records.size(), other->second.size());
        for (std::size_t i = 0; i < pairs; ++i) {
            const Record one = comparable(records[i]), two = comparable(other->second[i]);
            if (one == two) {
                continue;
            }
            ++parity.unequal;
            if (parity.example.empty()) {
                parity.example = describe(one, two, thread);
            }
        }
        parity.unequal += records.size() - pairs;
    }
}

/// How far apart the two hooks of one event are.
constexpr std::uint64_t kApartNs = IPCSCOPE_SLICE_NS;

/// The same but for its times, of which the host of a guest can take some from between the
/// two hooks: they share most of them.
bool is_like(const Record& first, const Record& second)
{
    const auto one = as<ipcscope_slice>(first), two = as<ipcscope_slice>(second);
    const std::uint64_t shared = since(std::min(one.end_ns, two.end_ns),
                                       std::max(one.start_ns, two.start_ns));
    const std::uint64_t longer = std::max(since(one.end_ns, one.start_ns),
                                          since(two.end_ns, two.start_ns));
    return shared > longer / 2 && comparable(first) == comparable(second);
}

/// Counts the slices of `kept` that the other backend must have, too, and has not.
void compare_slices(const Kept& kept, const Kept& other, KindParity& parity)
{
    const std::uint64_t start_ns = std::max(kept.start_ns(), other.start_ns()) + kApartNs;
    const std::uint64_t end_ns = std::min(kept.end_ns(), other.end_ns()) - kApartNs;
    ByThread candidates = by_thread(other, IPCSCOPE_SLICE);
    for (const auto& [thread, records] : by_thread(kept, IPCSCOPE_SLICE)) {
        for (const Record& record : records) {
            const auto slice = as<ipcscope_slice>(record);
            if (slice.start_ns < start_ns || slice.end_ns > end_ns ||
                slice.end_ns - slice.start_ns < 2 * IPCSCOPE_SLICE_NS) {
                continue;
            }
            auto& others = candidates[thread];
            const auto like = std::ranges::find_if(
                others, [&](const Record& candidate) { return is_like(record, candidate); });
            if (like != others.end()) {
                others.erase(like);   // each is the like of one
                continue;
            }
            ++parity.unequal;
            if (parity.example.empty()) {
                parity.example = fmt::format(
                    "thread {}: {} for {:.1f} ms, of one only", thread,
                    decode::state_name(decode::state_of(slice.state)),
                    static_cast<double>(slice.end_ns - slice.start_ns) / 1e6);
            }
        }
    }
}

}  // namespace

Result<void> Kept::host(const source::Host& host)
{
    start_ns_ = host.start_ns;
    return {};
}

Result<void> Kept::end(std::uint64_t time_ns)
{
    end_ns_ = time_ns;
    return {};
}

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
    if (kind == IPCSCOPE_THREAD_TIME) {
        parity.not_compared = "it is of the moment at which a backend ends";
    } else if (kind == IPCSCOPE_SLICE) {
        // The host of a guest can stop it between the two hooks of one event, and so make a
        // long stay of the one a short one of the other.
        parity.allowed = std::min(parity.first, parity.second) / 16;
        parity.same_number = false;
        compare_slices(first, second, parity);
        compare_slices(second, first, parity);
    } else {
        compare_in_order(first, second, kind, parity);
    }
    return parity;
}

std::uint64_t calls(const Kept& kept, unsigned kind, unsigned op)
{
    return static_cast<std::uint64_t>(std::ranges::count_if(kept.all(), [&](const auto& record) {
        return kind_of(record) == kind && as<ipcscope_call>(record).op == op;
    }));
}

Histogram blocked_reads(const Kept& kept)
{
    Histogram histogram;
    for (const Record& record : kept.all()) {
        const auto call = as<ipcscope_call>(record);
        if (kind_of(record) == IPCSCOPE_CALL_PIPE && call.op == IPCSCOPE_OP_READ &&
            call.sleeps > 0) {
            histogram.add(call.header.time_ns - call.enter_ns);
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
        } else if (kind == IPCSCOPE_SIGNAL_TAKE &&
                   as<ipcscope_signal_take>(record).sig == signal) {
            taken.push_back(as<ipcscope_header>(record).time_ns);
        }
    }
    std::ranges::sort(made);
    std::ranges::sort(taken);
    Histogram histogram;
    for (std::size_t i = 0; i < std::min(made.size(), taken.size()); ++i) {
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
