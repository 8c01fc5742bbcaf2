// SPDX-License-Identifier: GPL-2.0-only
#include "decode/decode.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/collector.hpp"
#include "decode/fields.hpp"
#include "records.hpp"

namespace ipcscope::decode {
namespace {

using namespace ipcscope::test;

/// Decodes a copy that ends where its allocation does, so that ASan sees the
/// first byte too many.
tl::expected<Decoded, Malformed> decode_exactly(const Record& record, unsigned cpu = kCpu)
{
    const Record copy(record.begin(), record.end());
    return decode(cpu, copy);
}

template <typename T>
T body_of(const Record& record)
{
    const auto decoded = decode_exactly(record);
    if (!decoded) {
        ADD_FAILURE() << describe(decoded.error());
        return {};
    }
    EXPECT_EQ(decoded->size, record.size());
    const T* body = std::get_if<T>(&decoded->event.body);
    if (body == nullptr) {
        ADD_FAILURE() << "another alternative: " << decoded->event.body.index();
        return {};
    }
    return *body;
}

void expect_malformed(const Record& record, Malformed what, unsigned cpu = kCpu)
{
    const auto decoded = decode_exactly(record, cpu);
    ASSERT_FALSE(decoded) << "decoded in spite of: " << describe(what);
    EXPECT_EQ(decoded.error(), what) << describe(decoded.error());
}

TEST(Decode, Header)
{
    const Event event = decode_exactly(thread_free())->event;
    EXPECT_EQ(event.time_ns, 0x0102030405060708U);
    EXPECT_EQ(event.lost_before, 0x1112131415161718U);
    EXPECT_EQ(event.task, (Task{0x21222324, 0x31323334, {}}));
    EXPECT_TRUE(event.process.empty());
    EXPECT_EQ(event.target, Task{});
    EXPECT_EQ(event.cpu, kCpu);
    EXPECT_EQ(event.kind, unsigned{IPCSCOPE_THREAD_FREE});
    EXPECT_FALSE(event.unfinished);
    EXPECT_FALSE(event.before_trace);
    EXPECT_EQ(std::get<ThreadFree>(event.body).header.tid, 0x31323334U);
}

TEST(Decode, FlagsApart)
{
    for (unsigned flags = 0; flags < 4; ++flags) {
        Record record = slice();
        poke(record, offsetof(ipcscope_header, flags),
             static_cast<std::uint16_t>(flags | 0x80));
        const Event event = decode_exactly(record)->event;
        EXPECT_EQ(event.unfinished, (flags & IPCSCOPE_UNFINISHED) != 0);
        EXPECT_EQ(event.before_trace, (flags & IPCSCOPE_BEFORE_TRACE) != 0);
    }
}

/// A body is the record's own bytes.
template <typename T>
void expect_same_bytes(unsigned kind)
{
    const Record record = record_of(kind);
    const auto body = body_of<T>(record);
    ASSERT_EQ(sizeof body, record.size());
    EXPECT_EQ(std::memcmp(&body, record.data(), sizeof body), 0) << kind_name(kind);
}

TEST(Decode, BodiesAreTheContractsStructs)
{
    expect_same_bytes<SignalGenerate>(IPCSCOPE_SIGNAL_GENERATE);
    expect_same_bytes<SignalTake>(IPCSCOPE_SIGNAL_TAKE);
    expect_same_bytes<SignalHandler>(IPCSCOPE_SIGNAL_HANDLER);
    expect_same_bytes<SignalMask>(IPCSCOPE_SIGNAL_MASK);
    expect_same_bytes<Command>(IPCSCOPE_COMMAND);
    expect_same_bytes<FdReceived>(IPCSCOPE_FD_RECEIVED);
    expect_same_bytes<Kill>(IPCSCOPE_KILL);
    expect_same_bytes<Thread>(IPCSCOPE_THREAD);
    expect_same_bytes<ThreadTime>(IPCSCOPE_THREAD_TIME);
    expect_same_bytes<ThreadTime>(IPCSCOPE_THREAD_EXIT);
    expect_same_bytes<Slice>(IPCSCOPE_SLICE);
    for (const unsigned kind : kKinds)
        if (is_call(kind)) expect_same_bytes<Call>(kind);
}

TEST(Decode, IdsOfABody)
{
    const auto generate = body_of<SignalGenerate>(signal_generate());
    EXPECT_EQ(origin_of(generate), Origin::timer);
    EXPECT_EQ(outcome_of(generate), Outcome::info_lost);
    EXPECT_EQ(state_of(generate.target_state), State::killable);
    EXPECT_EQ(disposition_of(generate.disposition), Disposition::handler);
    EXPECT_EQ(how_of(body_of<SignalTake>(signal_take())), How::group_exit);
    const auto fifo = body_of<Call>(call(IPCSCOPE_CALL_PIPE));
    EXPECT_EQ(type_of(fifo), ObjectType::fifo);
    EXPECT_EQ(op_of(fifo), Op::write);
}

/// A signal's record with the callers is longer; a short one has none.
TEST(Decode, CallersOfASignal)
{
    Record record = signal_generate();
    EXPECT_EQ(body_of<SignalGenerate>(record).stack_depth, 2u);
    for (const std::size_t size : {sizeof(ipcscope_signal_generate),
                                   sizeof(ipcscope_signal_callers) - 8}) {
        record.resize(size);
        poke(record, offsetof(ipcscope_header, size), static_cast<std::uint16_t>(size));
        const auto bare = body_of<SignalGenerate>(record);
        EXPECT_EQ(bare.sig, 12u);
        EXPECT_EQ(bare.stack_depth, 0u);
        EXPECT_EQ(bare.memory_limit, 0u);
    }
}

TEST(Decode, TargetsByNumber)
{
    EXPECT_EQ(decode_exactly(signal_generate())->event.target, (Task{101, 102, {}}));
    EXPECT_EQ(decode_exactly(kill())->event.target, (Task{701, 702, {}}));
    EXPECT_EQ(decode_exactly(signal_take())->event.target, Task{});
}

TEST(Decode, AShortCallHasNoTimeButRunning)
{
    for (const unsigned kind : kKinds) {
        if (!is_call(kind)) continue;
        Record record = short_call(kind);
        const auto short_body = body_of<Call>(record);
        const auto long_body = body_of<Call>(call(kind));
        EXPECT_EQ(std::memcmp(&short_body.since_ns, &long_body.since_ns,
                              sizeof(ipcscope_call) - sizeof(ipcscope_header)), 0);
        const ipcscope_call_split zero{};
        EXPECT_EQ(std::memcmp(&short_body.blocked_ns, &zero.blocked_ns,
                              sizeof zero - sizeof(ipcscope_call)), 0);
        // A later version's short record, up to where it would be a long one.
        record.resize(sizeof(ipcscope_call_split) - 8, std::byte{0xee});
        poke(record, offsetof(ipcscope_header, size),
             static_cast<std::uint16_t>(record.size()));
        EXPECT_EQ(body_of<Call>(record).blocked_ns, 0U);
    }
}

TEST(Decode, CollectorsRecords)
{
    const auto named = body_of<Symbol>(symbol());
    EXPECT_EQ(named.record.id, 1001U);
    EXPECT_EQ(named.text.str(), "pipe_wait+0x6f/0xa0");
    const auto end = body_of<Holder>(holder());
    EXPECT_EQ(end.record.object, 1101U);
    EXPECT_EQ(end.record.dev, 1102U);
    EXPECT_EQ(end.record.type, IPCSCOPE_OBJECT_FIFO);
    EXPECT_EQ(end.record.reads, 0);
    EXPECT_EQ(end.record.writes, 1);
    EXPECT_EQ(end.path.str(), "/run/fifo\\x1b");
    const auto look = body_of<Observed>(observed());
    EXPECT_EQ(look.record.sent_ns, 1201U);
    EXPECT_EQ(look.record.exit_code, -1209);
    EXPECT_EQ(look.record.missing, IPCSCOPE_MISSING_STACK);
    EXPECT_EQ(look.record.frozen, 1);
    EXPECT_EQ(look.record.stack[1], 1213U);
    EXPECT_EQ(look.wait_channel.str(), "pipe_read\\x1b");
    const auto who = body_of<Process>(process());
    EXPECT_EQ(who.record.cgroup, 1301U);
    EXPECT_EQ(who.record.ppid, 1302U);
    EXPECT_EQ(who.record.uid, 1304U);
    EXPECT_EQ(who.command.str(), "kill -9 7\\x1b");
    EXPECT_EQ(body_of<User>(record_of(IPCSCOPE_USER)).name.str(), "ro\\x0aot");
    EXPECT_EQ(body_of<Cgroup>(record_of(IPCSCOPE_CGROUP)).record.id, 1401U);
    EXPECT_EQ(body_of<Cgroup>(record_of(IPCSCOPE_CGROUP)).path.str(), "/a\\x1b");
}

TEST(Decode, TrailingTextMayBeAbsentOrPadded)
{
    EXPECT_TRUE(body_of<Symbol>(symbol("")).text.empty());
    EXPECT_EQ(body_of<Symbol>(symbol({"ab\0\0\0", 5})).text.str(), "ab");
    EXPECT_EQ(body_of<Symbol>(symbol({"a\0b", 3})).text.str(), "a\\x00b");
    EXPECT_TRUE(body_of<Holder>(holder("")).path.empty());
    const std::string longest(UINT16_MAX - sizeof(ipcscope_symbol), 'n');
    EXPECT_EQ(body_of<Symbol>(symbol(longest)).text.str(), longest);
}

TEST(Decode, AcceptsALargerRecordAndIgnoresTheRest)
{
    for (const std::uint16_t kind : kKinds) {
        if (kind >= IPCSCOPE_SYMBOL) continue;  // their rest is text
        Record record = record_of(kind);
        record.resize(record.size() + 24, std::byte{0xee});
        poke(record, offsetof(ipcscope_header, size),
             static_cast<std::uint16_t>(record.size()));
        const auto decoded = decode_exactly(record);
        ASSERT_TRUE(decoded) << kind_name(kind);
        EXPECT_EQ(decoded->size, record.size());
    }
}

TEST(Decode, ConsumesOneRecordOfMany)
{
    const Record all = all_records();
    std::span<const std::byte> rest = all;
    for (const std::uint16_t kind : kKinds) {
        const auto decoded = decode(kCpu, rest);
        ASSERT_TRUE(decoded) << describe(decoded.error());
        EXPECT_EQ(decoded->event.kind, kind);
        EXPECT_EQ(record_size(rest), decoded->size);
        rest = rest.subspan(decoded->size);
    }
    EXPECT_EQ(rest.size(), sizeof(ipcscope_call));
}

TEST(Decode, UnalignedBytes)
{
    for (std::size_t shift = 1; shift < 8; ++shift) {
        Record shifted(shift);
        const Record record = kill();
        shifted.insert(shifted.end(), record.begin(), record.end());
        EXPECT_TRUE(decode(kCpu, std::span{shifted}.subspan(shift)));
    }
}

TEST(Decode, EveryPrefixIsTruncated)
{
    for (const std::uint16_t kind : kKinds) {
        const Record record = record_of(kind);
        for (std::size_t size = 0; size < record.size(); ++size) {
            const Record prefix(record.begin(), record.begin() + static_cast<long>(size));
            expect_malformed(prefix, size < sizeof(ipcscope_header)
                                         ? Malformed::truncated_header
                                         : Malformed::truncated_record);
            EXPECT_EQ(record_size(prefix), 0U);
        }
    }
}

TEST(Decode, RefusesEverySmallerSize)
{
    for (const std::uint16_t kind : kKinds) {
        Record record = record_of(kind);
        for (std::size_t size = 0; size < least_size(kind); ++size) {
            poke(record, offsetof(ipcscope_header, size), static_cast<std::uint16_t>(size));
            expect_malformed(record, Malformed::size_too_small);
            EXPECT_EQ(record_size(record), size < sizeof(ipcscope_header) ? 0 : size);
        }
    }
}

TEST(Decode, RefusesUnknownKinds)
{
    for (const unsigned kind : {0U, unsigned{IPCSCOPE_KIND_COUNT}, 255U, IPCSCOPE_COLLECTOR_LAST + 1U, 0xffffU}) {
        Record record = slice();
        poke(record, offsetof(ipcscope_header, kind), static_cast<std::uint16_t>(kind));
        expect_malformed(record, Malformed::unknown_kind);
        EXPECT_EQ(record_size(record), record.size());  // can be skipped
    }
}

TEST(Decode, RefusesAnotherCpuThanTheRings)
{
    for (const std::uint16_t kind : kKinds) {
        expect_malformed(record_of(kind), Malformed::bad_cpu, kCpu + 1);
        EXPECT_TRUE(decode_exactly(record_of(kind), kCollectorCpu));
    }
}

TEST(Decode, RefusesSignalNumbers)
{
    const std::pair<unsigned, std::size_t> places[] = {
        {IPCSCOPE_SIGNAL_GENERATE, offsetof(ipcscope_signal_generate, sig)},
        {IPCSCOPE_SIGNAL_TAKE, offsetof(ipcscope_signal_take, sig)},
        {IPCSCOPE_SIGNAL_TAKE, offsetof(ipcscope_signal_take, group_signal)},
        {IPCSCOPE_KILL, offsetof(ipcscope_kill, sig)},
    };
    for (const auto& [kind, at] : places)
        for (unsigned sig = 0; sig < 256; ++sig) {
            Record record = record_of(kind);
            poke(record, at, static_cast<std::uint8_t>(sig));
            const bool may_be_none = at == offsetof(ipcscope_signal_take, group_signal);
            if (sig <= 64 && (sig != 0 || may_be_none))
                EXPECT_TRUE(decode_exactly(record)) << kind_name(kind) << " " << sig;
            else
                expect_malformed(record, Malformed::bad_signal);
        }
}

struct List {
    Meaning meaning;
    unsigned count;
};
constexpr List kLists[] = {
    {Meaning::BOOL, 2},        {Meaning::STATE, 14}, {Meaning::ORIGIN, 14},
    {Meaning::RESULT, 5},      {Meaning::TAKE, 9},   {Meaning::DISPOSITION, 4},
    {Meaning::GROUP, 4},       {Meaning::REASON, 5}, {Meaning::OBJECT, 13},
    {Meaning::OP, 18},         {Meaning::CALL, 16},
};

void refuse_other_ids(unsigned kind, const Field& field, unsigned count)
{
    for (unsigned id = 0; id < 256; ++id) {
        Record record = record_of(kind);
        if (is_call(kind)) {
            poke(record, offsetof(ipcscope_call, tail.eventfd.semaphore), std::uint32_t{1});
            poke(record, offsetof(ipcscope_call, tail.eventfd.waiters), std::uint32_t{1});
        }
        poke(record, field.offset, static_cast<std::uint8_t>(id));
        const bool known = id < count &&
                           (field.meaning != Meaning::CALL || id == 0 || is_call(id));
        if (known)
            ASSERT_TRUE(decode_exactly(record)) << kind_name(kind) << " " << field.name;
        else
            expect_malformed(record, Malformed::bad_enum);
    }
}

TEST(Decode, RefusesIdsOutsideTheirList)
{
    std::size_t tried = 0;
    for (const unsigned kind : kKinds)
        for (const Field& field : fields_of(kind))
            for (const List& list : kLists)
                if (field.meaning == list.meaning) {
                    refuse_other_ids(kind, field, list.count);
                    ++tried;
                }
    EXPECT_EQ(tried, 47U);
}

TEST(Decode, RefusesIdsOfATail)
{
    Record record = call(IPCSCOPE_CALL_EVENTFD);
    poke(record, offsetof(ipcscope_call, tail.eventfd.semaphore), std::uint32_t{256});
    expect_malformed(record, Malformed::bad_enum);
}

TEST(Decode, RefusesADeeperStackThanARecordHolds)
{
    EXPECT_TRUE(decode_exactly(kill(32)));
    for (const std::uint32_t depth : {33U, 34U, 0x80000000U, 0xffffffffU})
        expect_malformed(kill(depth), Malformed::bad_stack_depth);
}

/// The least numbers there are pass through as they are.
TEST(Decode, TakesAnyNumber)
{
    Record record = call(IPCSCOPE_CALL_PIPE);
    poke(record, offsetof(ipcscope_call, ret), INT32_MIN);
    poke(record, offsetof(ipcscope_call, enter_ns), UINT64_MAX);
    EXPECT_EQ(body_of<Call>(record).ret, INT32_MIN);
    EXPECT_EQ(body_of<Call>(record).enter_ns, UINT64_MAX);
}

/// Whatever the bytes are: an event of them, or a malformation, and never a step
/// beyond them.
void walk(const Record& bytes, unsigned cpu)
{
    std::span<const std::byte> rest = bytes;
    while (!rest.empty()) {
        const auto decoded = decode(cpu, rest);
        if (!decoded)
            ASSERT_FALSE(describe(decoded.error()).empty());
        else
            ASSERT_EQ(decoded->size, record_size(rest));
        const std::size_t size = record_size(rest);
        ASSERT_LE(size, rest.size());
        if (size == 0) break;
        rest = rest.subspan(size);
    }
}

TEST(Decode, SurvivesBitFlips)
{
    std::mt19937 random{1};
    const Record good = all_records();
    for (int i = 0; i < 100'000; ++i) {
        Record bytes = good;
        for (unsigned flips = 1 + random() % 8; flips > 0; --flips)
            bytes[random() % bytes.size()] ^= std::byte{1} << random() % 8;
        ASSERT_NO_FATAL_FAILURE(walk(bytes, random() % 2 ? kCpu : kCollectorCpu));
    }
}

TEST(Decode, SurvivesNoise)
{
    std::mt19937 random{2};
    for (int i = 0; i < 20'000; ++i) {
        Record bytes(random() % 400);
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
        if (bytes.size() > 30) {
            poke(bytes, offsetof(ipcscope_header, kind),
                 static_cast<std::uint16_t>(random() % 20));
            poke(bytes, offsetof(ipcscope_header, size),
                 static_cast<std::uint16_t>(random() % 400));
        }
        ASSERT_NO_FATAL_FAILURE(walk(bytes, kCollectorCpu));
    }
}

}  // namespace
}  // namespace ipcscope::decode
