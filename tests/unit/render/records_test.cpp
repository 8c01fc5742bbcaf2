// SPDX-License-Identifier: GPL-2.0-only
// Any bytes for records, all the way: decode, correlate, aggregate, every renderer.
// IPCSCOPE_RANDOM_RECORDS in the environment: how many, where not 10,000.
#include <array>
#include <cstdlib>
#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "aggregate/analysis.hpp"
#include "render/render.hpp"
#include "schema.hpp"
#include "sample.hpp"
#include "screen.hpp"

namespace ipcscope {
namespace {

constexpr unsigned kCpus = 2;

class RandomRecords {
public:
    explicit RandomRecords(unsigned seed) : random_(seed) {}

    /// A record of any kind, of which some fields are within their lists and most
    /// numbers are small, so that many decode and meet each other.
    std::vector<std::byte> next(unsigned cpu)
    {
        const unsigned kind = below(20) == 0 ? IPCSCOPE_SYMBOL + below(3)
                                             : 1 + below(IPCSCOPE_KIND_COUNT);
        std::vector<std::byte> record(size_of(kind) + (below(9) == 0 ? below(40) : 0));
        for (std::size_t at = sizeof(ipcscope_header); at < record.size(); ++at)
            record[at] = static_cast<std::byte>(byte());
        for (std::size_t at = sizeof(ipcscope_header); at + 8 <= record.size(); at += 8)
            if (below(3) == 0) put(record, at, number());
        ipcscope_header header{};
        header.time_ns = now_ns_ += below(3) == 0 ? 0 : below(1'000'000);
        if (below(200) == 0) header.time_ns = number();
        header.lost_before = lost_ += below(50) == 0 ? below(3) : 0;
        header.tgid = 1 + below(6);
        header.tid = below(2) == 0 ? header.tgid : 1 + below(20);
        header.cpu = static_cast<std::uint16_t>(kind >= IPCSCOPE_SYMBOL ? 0xffff : cpu);
        header.kind = static_cast<std::uint16_t>(kind);
        header.size = static_cast<std::uint16_t>(record.size());
        header.flags = static_cast<std::uint16_t>(below(10) == 0 ? below(4) : 0);
        std::memcpy(record.data(), &header, sizeof header);
        shape(kind, record);
        return record;
    }

private:
    std::uint32_t below(std::uint32_t limit)
    {
        return static_cast<std::uint32_t>(random_() % limit);
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(random_()); }
    /// Often a time near now, or one of the extremes.
    std::uint64_t number()
    {
        static constexpr std::array<std::uint64_t, 6> kExtremes = {
            0, 1, UINT64_MAX, 1ull << 63, (1ull << 63) - 1, 0x8000000080000000ull};
        switch (below(4)) {
        case 0: return kExtremes[below(6)];
        case 1: return random_() >> below(64);
        default: return now_ns_ - below(2'000'000);
        }
    }
    template <typename T>
    static void put(std::vector<std::byte>& record, std::size_t at, T value)
    {
        if (at + sizeof value <= record.size())
            std::memcpy(record.data() + at, &value, sizeof value);
    }
    static std::size_t size_of(unsigned kind)
    {
        switch (kind) {
        case IPCSCOPE_SIGNAL_GENERATE: return sizeof(ipcscope_signal_generate);
        case IPCSCOPE_SIGNAL_TAKE: return sizeof(ipcscope_signal_take);
        case IPCSCOPE_KILL: return sizeof(ipcscope_kill);
        case IPCSCOPE_THREAD: return sizeof(ipcscope_thread);
        case IPCSCOPE_THREAD_TIME:
        case IPCSCOPE_THREAD_EXIT: return sizeof(ipcscope_thread_time);
        case IPCSCOPE_THREAD_FREE: return sizeof(ipcscope_header);
        case IPCSCOPE_SLICE: return sizeof(ipcscope_slice);
        case IPCSCOPE_SYMBOL: return sizeof(ipcscope_symbol) + 20;
        case IPCSCOPE_HOLDER: return sizeof(ipcscope_holder) + 20;
        case IPCSCOPE_OBSERVED: return sizeof(ipcscope_observed) + 20;
        case IPCSCOPE_PROCESS: return sizeof(ipcscope_process) + 20;
        case IPCSCOPE_USER: case IPCSCOPE_CGROUP: return sizeof(ipcscope_name) + 20;
        default: return sizeof(ipcscope_call_split);
        }
    }
    void id(std::vector<std::byte>& record, std::size_t at, unsigned count)
    {
        if (below(100) != 0) put(record, at, static_cast<std::uint8_t>(below(count)));
    }
    void shape(unsigned kind, std::vector<std::byte>& record)
    {
        switch (kind) {
        case IPCSCOPE_SIGNAL_GENERATE:
            put(record, offsetof(ipcscope_signal_generate, target_tgid), 1 + below(6));
            put(record, offsetof(ipcscope_signal_generate, target_tid), 1 + below(6));
            put(record, offsetof(ipcscope_signal_generate, sig),
                static_cast<std::uint8_t>(1 + below(64)));
            id(record, offsetof(ipcscope_signal_generate, result), IPCSCOPE_RESULT_COUNT);
            id(record, offsetof(ipcscope_signal_generate, target_state), IPCSCOPE_STATE_COUNT);
            id(record, offsetof(ipcscope_signal_generate, origin), IPCSCOPE_ORIGIN_COUNT);
            id(record, offsetof(ipcscope_signal_generate, disposition),
               IPCSCOPE_DISPOSITION_COUNT);
            for (std::size_t at = offsetof(ipcscope_signal_generate, shared);
                 at < sizeof(ipcscope_signal_generate); ++at)
                id(record, at, 2);
            break;
        case IPCSCOPE_SIGNAL_TAKE:
            put(record, offsetof(ipcscope_signal_take, sig),
                static_cast<std::uint8_t>(1 + below(64)));
            id(record, offsetof(ipcscope_signal_take, how), IPCSCOPE_TAKE_COUNT);
            id(record, offsetof(ipcscope_signal_take, disposition), IPCSCOPE_DISPOSITION_COUNT);
            id(record, offsetof(ipcscope_signal_take, has_info), 2);
            id(record, offsetof(ipcscope_signal_take, traced), 2);
            id(record, offsetof(ipcscope_signal_take, group), IPCSCOPE_GROUP_COUNT);
            id(record, offsetof(ipcscope_signal_take, group_signal), 65);
            break;
        case IPCSCOPE_KILL:
            put(record, offsetof(ipcscope_kill, target_tgid), 1 + below(6));
            put(record, offsetof(ipcscope_kill, stack_depth), below(IPCSCOPE_STACK_DEPTH + 1));
            put(record, offsetof(ipcscope_kill, sig), static_cast<std::uint8_t>(1 + below(64)));
            id(record, offsetof(ipcscope_kill, state), IPCSCOPE_STATE_COUNT);
            id(record, offsetof(ipcscope_kill, origin), IPCSCOPE_ORIGIN_COUNT);
            id(record, offsetof(ipcscope_kill, result), IPCSCOPE_RESULT_COUNT);
            break;
        case IPCSCOPE_THREAD:
            id(record, offsetof(ipcscope_thread, reason), IPCSCOPE_THREAD_REASON_COUNT);
            break;
        case IPCSCOPE_THREAD_TIME: case IPCSCOPE_THREAD_EXIT:
            id(record, offsetof(ipcscope_thread_time, state), IPCSCOPE_STATE_COUNT);
            id(record, offsetof(ipcscope_thread_time, group_dead), 2);
            break;
        case IPCSCOPE_SLICE:
            id(record, offsetof(ipcscope_slice, state), IPCSCOPE_STATE_COUNT);
            put(record, offsetof(ipcscope_slice, call),
                static_cast<std::uint8_t>(below(2) * IPCSCOPE_CALL_PIPE));
            break;
        case IPCSCOPE_HOLDER:
            put(record, offsetof(ipcscope_holder, object), std::uint64_t{1 + below(4)});
            put(record, offsetof(ipcscope_holder, dev), std::uint32_t{1});
            id(record, offsetof(ipcscope_holder, type), IPCSCOPE_OBJECT_COUNT);
            id(record, offsetof(ipcscope_holder, reads), 2);
            id(record, offsetof(ipcscope_holder, writes), 2);
            break;
        case IPCSCOPE_OBSERVED:
            put(record, offsetof(ipcscope_observed, stack_depth),
                below(IPCSCOPE_STACK_DEPTH + 1));
            put(record, offsetof(ipcscope_observed, ppid), 1 + below(6));
            put(record, offsetof(ipcscope_observed, tracer_pid), below(6));
            put(record, offsetof(ipcscope_observed, sig),
                static_cast<std::uint8_t>(1 + below(64)));
            id(record, offsetof(ipcscope_observed, state), IPCSCOPE_STATE_COUNT);
            id(record, offsetof(ipcscope_observed, frozen), 2);
            break;
        case IPCSCOPE_PROCESS:
            put(record, offsetof(ipcscope_process, ppid), below(6));
            break;
        case IPCSCOPE_SYMBOL: case IPCSCOPE_THREAD_FREE: case IPCSCOPE_USER:
        case IPCSCOPE_CGROUP: break;
        default:
            put(record, offsetof(ipcscope_call, object), std::uint64_t{1 + below(4)});
            put(record, offsetof(ipcscope_call, dev), std::uint32_t{1});
            put(record, offsetof(ipcscope_call, type), static_cast<std::uint8_t>(1 + below(2)));
            put(record, offsetof(ipcscope_call, op), static_cast<std::uint8_t>(below(2)));
            id(record, offsetof(ipcscope_call, flags), 4);
        }
    }

    std::mt19937_64 random_;
    std::uint64_t now_ns_ = 1'000'000'000;
    std::uint64_t lost_ = 0;
};

source::Host host(unsigned seed)
{
    source::Host host;
    host.hostname = "h\x1b";
    host.start_ns = 1'000'000'000;
    if (seed % 2 != 0) host.filters = {"--pid=3"};
    return host;
}

/// Bytes in, everything out.
void run(unsigned seed, unsigned count)
{
    RandomRecords records(seed);
    render::Symbols symbols;
    render::LiveOptions live;
    std::string bad;
    std::uint64_t events = 0;
    const auto check = [&](const std::optional<std::string>& line, std::size_t width) {
        if (line && bad.empty()) bad = screen::bad_line(*line, width);
    };
    aggregate::Analysis analysis({[&](const decode::Event& event) {
                                      ++events;
                                      symbols.note(event);
                                      check(render::json_line(event), SIZE_MAX);
                                      check(render::live_line(event, 7, live, &symbols), 79);
                                  },
                                  [&](const correlate::Interval& interval) {
                                      check(render::live_line(interval, 9, 7, live), 79);
                                  }});
    ASSERT_TRUE(analysis.host(host(seed)));
    for (unsigned i = 0; i < count; ++i) {
        const unsigned cpu = i % kCpus;
        const auto record = records.next(cpu);
        ipcscope_header header;
        std::memcpy(&header, record.data(), sizeof header);
        ASSERT_TRUE(analysis.records(header.cpu, record));
        if (i % 1000 == 999) {
            ASSERT_TRUE(analysis.watermark(header.time_ns));
        }
        if (i % 5000 == 4999) sample::text(analysis.snapshot());
    }
    ASSERT_TRUE(analysis.ledger(source::Ledger(kCpus)));
    ASSERT_TRUE(analysis.end(3'000'000'000));
    const aggregate::Report report = analysis.report();
    EXPECT_EQ(bad, "");
    EXPECT_GT(events, count / 2) << "most of the records should decode";
    EXPECT_EQ(screen::bad_line(sample::text(report), render::kMinWidth), "");
    const std::string json = sample::json(report);
    EXPECT_EQ(schema::check(nlohmann::json::parse(json), schema::report()), "");
    for (const auto& row : report.processes) {
        std::uint64_t sum = 0;
        for (const std::uint64_t part : row.time.parts_ns) sum += part;
        EXPECT_EQ(sum, row.time.span_ns);
    }
}

TEST(RandomRecords, GoThroughEverything)
{
    const char* asked = std::getenv("IPCSCOPE_RANDOM_RECORDS");
    const auto count = static_cast<unsigned>(asked ? std::strtoul(asked, nullptr, 10) : 10'000);
    for (const unsigned seed : {1u, 2u}) run(seed, count / 2);
}

}  // namespace
}  // namespace ipcscope
