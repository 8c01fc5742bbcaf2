// SPDX-License-Identifier: GPL-2.0-only
#include <thread>

#include <fcntl.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include "capture/format.hpp"
#include "capture/payload.hpp"
#include "helpers.hpp"

namespace ipcscope::capture {
namespace {

using namespace ipcscope::test;

std::unique_ptr<Writer> writer_of(const std::string& path, bool force = false)
{
    auto writer = Writer::create(path, force);
    if (!writer) {
        ADD_FAILURE() << writer.error().message;
        return nullptr;
    }
    return std::move(*writer);
}

void expect_same(const Memory& got, const Memory& expected)
{
    EXPECT_EQ(got.calls, expected.calls);
    EXPECT_EQ(got.records_seen, expected.records_seen);
    EXPECT_TRUE(same_ledger(got.last_ledger, expected.last_ledger));
    EXPECT_EQ(got.ended, expected.ended);
}

TEST(RoundTrip, ReplaysEveryCallInOrder)
{
    const Folder folder;
    spill(folder / "a", example_bytes(folder));
    Memory expected, got;
    ASSERT_TRUE(write_example(expected));
    const auto why = replay(folder / "a", got);
    ASSERT_TRUE(why) << why.error().message;
    EXPECT_EQ(*why, "");
    expect_same(got, expected);
}

TEST(RoundTrip, KeepsEveryFieldOfTheHost)
{
    const Folder folder;
    spill(folder / "a", example_bytes(folder));
    Memory got;
    ASSERT_TRUE(replay(folder / "a", got));
    ASSERT_EQ(got.hosts.size(), 1U);
    const source::Host& host = got.hosts[0];
    const source::Host expected = example_host();
    EXPECT_EQ(host.kernel, expected.kernel);
    EXPECT_EQ(host.version, expected.version);
    EXPECT_EQ(host.machine, expected.machine);
    EXPECT_EQ(host.hostname, expected.hostname);
    EXPECT_EQ(host.cpus, expected.cpus);
    EXPECT_EQ(host.backend, expected.backend);
    EXPECT_EQ(host.tool_version, expected.tool_version);
    EXPECT_EQ(host.command, expected.command);
    EXPECT_EQ(host.filters, expected.filters);
    EXPECT_EQ(host.hooks, expected.hooks);
    EXPECT_EQ(host.start_ns, expected.start_ns);
    EXPECT_EQ(host.realtime_offset_ns, expected.realtime_offset_ns);
}

TEST(RoundTrip, AnyCallsAtAll)
{
    EXPECT_TRUE(rc::check("what was written is what is read", [] {
        const auto steps = *rc::gen::arbitrary<std::vector<std::uint16_t>>();
        const Folder folder;
        Memory expected;
        const auto writer = writer_of(folder / "a");
        std::uint64_t records = 0;
        for (source::Sink* sink : {static_cast<source::Sink*>(&expected),
                                   static_cast<source::Sink*>(writer.get())}) {
            RC_ASSERT(sink->host(example_host()).has_value());
            for (const std::uint16_t step : steps) {
                const unsigned what = step % 8;
                const unsigned cpu = (step >> 3) % 4;
                if (what == 0) {
                    RC_ASSERT(sink->watermark(step).has_value());
                } else if (what == 1) {
                    RC_ASSERT(sink->ledger(example_ledger(cpu)).has_value());
                } else {
                    const Record record = record_of(kKinds[step % std::size(kKinds)]);
                    RC_ASSERT(sink->records(cpu, record).has_value());
                    ++records;
                }
            }
            RC_ASSERT(sink->end(7).has_value());
        }
        RC_ASSERT(writer->count() == records / 2);
        Memory got;
        const auto why = replay(folder / "a", got);
        RC_ASSERT(why.has_value());
        RC_ASSERT(why->empty());
        expect_same(got, expected);
        RC_ASSERT(!testing::Test::HasFailure());
    }));
}

TEST(RoundTrip, SpansLargerThanABlock)
{
    const Folder folder;
    Record many;
    while (many.size() < 3 * kMaxPayload) {
        const Record some = all_records();
        many.insert(many.end(), some.begin(), some.end());
    }
    const auto writer = writer_of(folder / "a");
    ASSERT_TRUE(writer->host(example_host()));
    ASSERT_TRUE(writer->records(2, many));
    ASSERT_TRUE(writer->end(1));
    Memory got;
    EXPECT_EQ(replay(folder / "a", got).value_or("failed"), "");
    Record together;
    for (const Record& record : got.records_seen)
        together.insert(together.end(), record.begin(), record.end());
    EXPECT_TRUE(together == many);
    EXPECT_EQ(writer->count(), got.records_seen.size());
    EXPECT_EQ(writer->bytes(), std::filesystem::file_size(folder / "a"));
}

TEST(RoundTrip, TheLargestRecord)
{
    const Folder folder;
    const auto writer = writer_of(folder / "a");
    ASSERT_TRUE(writer->host(example_host()));
    const Record largest = symbol(std::string(UINT16_MAX - sizeof(ipcscope_symbol), 'x'));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer->records(1, largest));
    ASSERT_TRUE(writer->end(1));
    Memory got;
    EXPECT_EQ(replay(folder / "a", got).value_or("failed"), "");
    EXPECT_EQ(got.records_seen, std::vector<Record>(20, largest));
}

TEST(RoundTrip, BytesThatAreNoRecordAreKept)
{
    const Folder folder;
    Record bytes = slice();
    const Record junk(3000, std::byte{0xff});
    bytes.insert(bytes.end(), junk.begin(), junk.end());
    const auto writer = writer_of(folder / "a");
    ASSERT_TRUE(writer->host(example_host()));
    ASSERT_TRUE(writer->records(1, bytes));
    ASSERT_TRUE(writer->records(1, signal_take()));  // not hidden behind it
    ASSERT_TRUE(writer->end(1));
    Memory got;
    EXPECT_EQ(replay(folder / "a", got).value_or("failed"), "");
    EXPECT_EQ(got.records_seen, (std::vector<Record>{slice(), junk, signal_take()}));
}

TEST(RoundTrip, LedgersOfEverySize)
{
    for (const std::size_t cpus : {std::size_t{0}, std::size_t{1}, kLedgerCpusPerBlock,
                                   kLedgerCpusPerBlock + 1, std::size_t{8192}}) {
        const Folder folder;
        const auto writer = writer_of(folder / "a");
        ASSERT_TRUE(writer->host(example_host()));
        ASSERT_TRUE(writer->ledger(example_ledger(1)));
        ASSERT_TRUE(writer->ledger(example_ledger(cpus)));
        ASSERT_TRUE(writer->end(1));
        Memory got;
        EXPECT_EQ(replay(folder / "a", got).value_or("failed"), "");
        EXPECT_EQ(got.calls.size(), 4U);
        EXPECT_TRUE(same_ledger(got.last_ledger, example_ledger(cpus))) << cpus;
    }
}

std::size_t size_of(const std::vector<std::string>& list)
{
    std::size_t bytes = 0;
    for (const std::string& text : list) bytes += text.size() + 1;
    return bytes;
}

TEST(RoundTrip, HostileHost)
{
    source::Host host = example_host();
    host.hostname = "\xff\x80\x1b[2J";
    host.kernel = std::string(1 << 20, '\x01');
    host.version = std::string(kMaxHostText, '\xff');
    host.machine = std::string(kMaxHostText - 1, 'x') + "ü";
    host.command = std::vector<std::string>(100'000, std::string(20, '\x02'));
    host.filters = {std::string(1 << 20, '\xfe'), "--pid=1"};
    host.hooks = std::vector<std::string>(1'000'000);
    const std::string json = host_to_json(host);
    EXPECT_LE(json.size(), kMaxPayload);
    const auto back = host_from_json(json);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->hostname, "\ufffd\ufffd\x1b[2J");
    for (const std::string* text : {&back->kernel, &back->version, &back->machine}) {
        EXPECT_LE(text->size(), kMaxHostText);
        EXPECT_GT(text->size(), kMaxHostText - 8);
        EXPECT_TRUE(text->ends_with("…"));
    }
    EXPECT_EQ(back->machine, std::string(kMaxHostText - 3, 'x') + "…");
    for (const auto* list : {&back->command, &back->hooks}) {
        EXPECT_EQ(list->back(), "…");
        EXPECT_LE(size_of(*list), kMaxHostList);
        EXPECT_GT(size_of(*list), kMaxHostList - 30);
    }
    EXPECT_TRUE(back->filters[0].ends_with("\ufffd…"));
    EXPECT_EQ(back->filters[1], "--pid=1");
    EXPECT_EQ(back->cpus, host.cpus);
}

TEST(RoundTrip, AHostWithinItsBoundsIsKeptAsItIs)
{
    source::Host host = example_host();
    host.kernel = std::string(kMaxHostText - 2, 'x') + "ü";
    host.command = std::vector<std::string>(7, std::string(kMaxHostText, 'y'));
    const auto back = host_from_json(host_to_json(host));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kernel, host.kernel);
    EXPECT_EQ(back->command, host.command);
}

/// Whatever wrote it, a reader has to print it.
TEST(RoundTrip, AHostBeyondItsBoundsIsRefused)
{
    const auto text = [](std::size_t bytes) {
        return host_from_json("{\"kernel\":\"" + std::string(bytes, 'x') + "\"}");
    };
    EXPECT_TRUE(text(kMaxHostText));
    EXPECT_FALSE(text(kMaxHostText + 1));
    const auto list = [](std::size_t count, std::size_t each) {
        std::string json = "{\"command\":[";
        for (std::size_t i = 0; i < count; ++i)
            json += (i ? ",\"" : "\"") + std::string(each, 'x') + "\"";
        return host_from_json(json + "]}");
    };
    EXPECT_TRUE(list(kMaxHostList, 0));
    EXPECT_FALSE(list(kMaxHostList + 1, 0));
    EXPECT_TRUE(list(kMaxHostList / 1024, 1023));
    EXPECT_FALSE(list(kMaxHostList / 1024 + 1, 1023));
    EXPECT_FALSE(list(1, kMaxHostText + 1));
}

TEST(RoundTrip, HostFromOtherJson)
{
    EXPECT_TRUE(host_from_json("{}"));
    EXPECT_EQ(host_from_json(R"({"cpus":4,"later":{"x":[1]}})")->cpus, 4U);
    for (const char* bad :
         {"", "[]", "1", "null", "{", "{\"cpus\":-1}", "{\"cpus\":1e300}", "{\"cpus\":65537}",
          "{\"kernel\":1}", "{\"command\":\"x\"}", "{\"command\":[1]}",
          "{\"command\":[[\"x\"],2]}", "{\"start_ns\":-1}",
          "{\"start_ns\":18446744073709551616}", "{\"start_ns\":1.5}",
          "{\"realtime_offset_ns\":9223372036854775808}", "{\"kernel\":\"\xff\"}", "{} x"})
        EXPECT_FALSE(host_from_json(bad)) << bad;
    EXPECT_FALSE(host_from_json(std::string(1 << 20, '[')));
}

TEST(RoundTrip, LedgerBlocksThatContradictThemselves)
{
    using Status = LedgerReader::Status;
    const auto payload = [](LedgerHeader header, std::size_t entries) {
        Record bytes(sizeof header + entries * sizeof(ipcscope_ledger));
        std::memcpy(bytes.data(), &header, sizeof header);
        return bytes;
    };
    constexpr std::uint16_t k = IPCSCOPE_KIND_COUNT;
    constexpr std::uint16_t c = IPCSCOPE_LOST_COUNT;
    EXPECT_EQ(LedgerReader{}.add({}), Status::damaged);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 1, 1, k, c}, 1)), Status::complete);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 1, 2, k, c}, 1)), Status::more);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 2, 2, k, c}, 1)), Status::damaged);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 1, 2, k, c}, 2)), Status::damaged);
    EXPECT_EQ(LedgerReader{}.add(payload({1, 1, 2, k, c}, 1)), Status::damaged);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 2, 1, k, c}, 2)), Status::damaged);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 0, UINT32_MAX, k, c}, 0)), Status::damaged);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 1, 1, k + 1, c}, 1)), Status::unknown_ids);
    EXPECT_EQ(LedgerReader{}.add(payload({0, 1, 1, k, c + 1}, 1)), Status::unknown_ids);
    LedgerReader reader;
    EXPECT_EQ(reader.add(payload({0, 2, 3, k, c}, 2)), Status::more);
    EXPECT_EQ(reader.add(payload({2, 1, 1, k, c}, 1)), Status::damaged);  // total shrank
}

/// Else a small file could claim very many CPUs.
TEST(RoundTrip, NoLedgerHasFewerKindsOrCausesThanTheFormatBeganWith)
{
    const auto add = [](std::uint16_t kinds, std::uint16_t causes) {
        const LedgerHeader header{0, 1, 1, kinds, causes};
        Record bytes(sizeof header + (kinds * (2U + causes) + 1) * sizeof(__u64));
        std::memcpy(bytes.data(), &header, sizeof header);
        return LedgerReader{}.add(bytes);
    };
    EXPECT_EQ(add(kLeastKinds, kLeastCauses), LedgerReader::Status::complete);
    EXPECT_EQ(add(kLeastKinds - 1, kLeastCauses), LedgerReader::Status::damaged);
    EXPECT_EQ(add(kLeastKinds, kLeastCauses - 1), LedgerReader::Status::damaged);
    EXPECT_EQ(add(0, 0), LedgerReader::Status::damaged);
}

TEST(RoundTrip, ThroughAPipeByteByByte)
{
    const Folder folder;
    const Record bytes = example_bytes(folder);
    const std::string fifo = folder / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    std::thread writer{[&] {
        std::ofstream out{fifo, std::ios::binary};
        for (const std::byte byte : bytes) out.put(static_cast<char>(byte)).flush();
    }};
    Memory expected, got;
    const auto why = replay(fifo, got);
    writer.join();
    EXPECT_EQ(why.value_or("failed"), "");
    ASSERT_TRUE(write_example(expected));
    expect_same(got, expected);
}

TEST(RoundTrip, APipeThatPausesDoesNotHoldUpTheCaller)
{
    const Folder folder;
    const Record bytes = example_bytes(folder);
    const std::string fifo = folder / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const int out = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    // Up to inside a block.
    ASSERT_EQ(::write(out, bytes.data(), 1000), 1000);
    auto reader = Reader::open(fifo);
    ASSERT_TRUE(reader) << reader.error().message;
    Memory got;
    for (int i = 0; i < 3; ++i) {
        const auto before = std::chrono::steady_clock::now();
        EXPECT_TRUE((*reader)->poll(got, std::chrono::milliseconds{20}).value_or(false));
        EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{10});
    }
    EXPECT_FALSE(got.ended);
    ASSERT_EQ(::write(out, bytes.data() + 1000, bytes.size() - 1000),
              static_cast<ssize_t>(bytes.size() - 1000));
    for (int i = 0; i < 100 && !got.ended; ++i)
        ASSERT_TRUE((*reader)->poll(got, std::chrono::milliseconds{20}).value_or(false));
    EXPECT_TRUE(got.ended);
    Memory expected;
    ASSERT_TRUE(write_example(expected));
    expect_same(got, expected);
    ::close(out);
    EXPECT_FALSE((*reader)->poll(got, std::chrono::milliseconds{1000}).value_or(true));
    EXPECT_EQ((*reader)->incomplete_why(), "");
}

TEST(RoundTrip, FinishLeavesTheRest)
{
    const Folder folder;
    spill(folder / "a", example_bytes(folder));
    auto reader = Reader::open(folder / "a");
    ASSERT_TRUE(reader);
    Memory got;
    ASSERT_TRUE((*reader)->poll(got, std::chrono::milliseconds{1000}).value_or(false));
    ASSERT_TRUE((*reader)->finish(got));
    EXPECT_NE((*reader)->incomplete_why().find("left at byte"), std::string::npos);
    EXPECT_FALSE((*reader)->poll(got, std::chrono::milliseconds{0}).value_or(true));
    EXPECT_FALSE(got.ended);
}

TEST(RoundTrip, FinishAfterTheEndChangesNothing)
{
    const Folder folder;
    spill(folder / "a", example_bytes(folder));
    auto reader = Reader::open(folder / "a");
    ASSERT_TRUE(reader);
    Memory got;
    while ((*reader)->poll(got, std::chrono::milliseconds{1000}).value_or(false)) {
    }
    const auto calls = got.calls;
    ASSERT_TRUE((*reader)->finish(got));
    EXPECT_EQ((*reader)->incomplete_why(), "");
    EXPECT_EQ(got.calls, calls);
}

/// The error of a sink reaches the caller as it is.
struct Refusing final : source::Sink {
    Result<void> host(const source::Host&) override { return {}; }
    Result<void> records(unsigned, std::span<const std::byte>) override
    {
        return fail(Exit::producer, "no more");
    }
    Result<void> watermark(std::uint64_t) override { return {}; }
    Result<void> ledger(const source::Ledger&) override { return {}; }
    Result<void> end(std::uint64_t) override { return {}; }
};

TEST(RoundTrip, PassesOnTheSinksError)
{
    const Folder folder;
    spill(folder / "a", example_bytes(folder));
    Refusing sink;
    const auto why = replay(folder / "a", sink);
    ASSERT_FALSE(why);
    EXPECT_EQ(why.error().code, Exit::producer);
    EXPECT_EQ(why.error().message, "no more");
}

}  // namespace
}  // namespace ipcscope::capture
