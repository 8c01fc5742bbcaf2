// SPDX-License-Identifier: GPL-2.0-only
#include "decode/decode.hpp"

#include <random>

#include <gtest/gtest.h>

#include "records.hpp"
#include "source/source.hpp"

namespace ipcscope::decode {
namespace {

using namespace ipcscope::test;
constexpr unsigned kCollector = source::Sink::kCollector;

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
    Record record = signal_get();
    poke(record, offsetof(ipcscope_header, flags), std::uint16_t{IPCSCOPE_UNFINISHED});
    const Event event = decode_exactly(record)->event;
    EXPECT_EQ(event.time_ns, 0x0102030405060708U);
    EXPECT_EQ(event.lost_before, 0x1112131415161718U);
    EXPECT_EQ(event.task.tgid, 0x21222324U);
    EXPECT_EQ(event.task.tid, 0x31323334U);
    EXPECT_EQ(event.task.comm.str(), "sender");
    EXPECT_EQ(event.cpu, kCpu);
    EXPECT_EQ(event.kind, unsigned{IPCSCOPE_SIGNAL_GET});
    EXPECT_TRUE(event.unfinished);
    EXPECT_FALSE(event.copy_fault);
    EXPECT_FALSE(event.interrupt);
}

TEST(Decode, FlagsApart)
{
    for (unsigned flags = 0; flags < 8; ++flags) {
        Record record = task_exit();
        poke(record, offsetof(ipcscope_header, flags),
             static_cast<std::uint16_t>(flags | 0x80));
        const Event event = decode_exactly(record)->event;
        EXPECT_EQ(event.copy_fault, (flags & IPCSCOPE_COPY_FAULT) != 0);
        EXPECT_EQ(event.unfinished, (flags & IPCSCOPE_UNFINISHED) != 0);
        EXPECT_EQ(event.interrupt, (flags & IPCSCOPE_INTERRUPT) != 0);
    }
}

TEST(Decode, SignalGenerate)
{
    const auto body = body_of<SignalGenerate>(signal_generate());
    EXPECT_EQ(body.value, 0x4142434445464748U);
    EXPECT_EQ(body.target, (Task{101, 102, SafeText::escape("exactly16letters")}));
    EXPECT_EQ(body.si_code, -6);
    EXPECT_EQ(body.sender_pid, 103U);
    EXPECT_EQ(body.signal, 12U);
    EXPECT_EQ(body.outcome, Outcome::info_lost);
    EXPECT_EQ(body.target_state, State::killable);
    EXPECT_EQ(body.origin, Origin::timer);
    EXPECT_EQ(body.disposition, Disposition::handler);
    EXPECT_TRUE(body.shared && body.blocked && body.fatal && body.unkillable && body.has_info);
}

TEST(Decode, SignalGenerateFlagsApart)
{
    using Member = bool SignalGenerate::*;
    const std::pair<std::size_t, Member> flags[] = {
        {offsetof(ipcscope_signal_generate, shared), &SignalGenerate::shared},
        {offsetof(ipcscope_signal_generate, blocked), &SignalGenerate::blocked},
        {offsetof(ipcscope_signal_generate, fatal), &SignalGenerate::fatal},
        {offsetof(ipcscope_signal_generate, unkillable), &SignalGenerate::unkillable},
        {offsetof(ipcscope_signal_generate, has_info), &SignalGenerate::has_info},
    };
    for (const auto& cleared : flags) {
        Record record = signal_generate();
        poke(record, cleared.first, std::uint8_t{0});
        const auto body = body_of<SignalGenerate>(record);
        for (const auto& flag : flags)
            EXPECT_EQ(body.*flag.second, flag.first != cleared.first);
    }
}

TEST(Decode, SignalSend)
{
    const auto body = body_of<SignalSend>(signal_send());
    EXPECT_EQ(body.enter_ns, 201U);
    EXPECT_EQ(body.target_tgid, 202U);
    EXPECT_EQ(body.target_tid, 203U);
    EXPECT_EQ(body.ret, -11);
    EXPECT_EQ(body.signal, 34U);
}

TEST(Decode, SignalDeliver)
{
    const auto body = body_of<SignalDeliver>(signal_deliver());
    EXPECT_EQ(body.si_code, -7);
    EXPECT_EQ(body.sender_pid, 301U);
    EXPECT_EQ(body.sa_flags, 0x98765432U);
    EXPECT_EQ(body.signal, 64U);
    EXPECT_EQ(body.disposition, Disposition::unknown);
    EXPECT_TRUE(body.has_info);
}

TEST(Decode, SignalDequeue)
{
    const auto body = body_of<SignalDequeue>(signal_dequeue());
    EXPECT_EQ(body.value, 401U);
    EXPECT_EQ(body.si_code, -8);
    EXPECT_EQ(body.sender_pid, 402U);
    EXPECT_EQ(body.signal, 17U);
}

TEST(Decode, SignalGet)
{
    const auto body = body_of<SignalGet>(signal_get());
    EXPECT_EQ(body.enter_ns, 501U);
    EXPECT_EQ(body.signal, 15U);
    EXPECT_EQ(body_of<SignalGet>(signal_get(0)).signal, 0U);
}

TEST(Decode, PipeOp)
{
    for (const std::uint16_t kind : {kKinds[5], kKinds[6]}) {
        const auto body = body_of<PipeOp>(pipe_op(kind));
        EXPECT_EQ(body.write, kind == IPCSCOPE_PIPE_WRITE);
        EXPECT_EQ(body.enter_ns, 601U);
        EXPECT_EQ(body.inode, 602U);
        EXPECT_EQ(body.requested_bytes, 603U);
        EXPECT_EQ(body.ret, -604);
        EXPECT_EQ(body.blocked_ns, 605U);
        EXPECT_EQ(body.runqueue_ns, 606U);
        EXPECT_EQ(body.uninterruptible_ns, 607U);
        EXPECT_EQ(body.woken_ns, 614U);
        EXPECT_EQ(body.dev, 608U);
        EXPECT_EQ(body.ring_slots, 609U);
        EXPECT_EQ(body.used_slots, 610U);
        EXPECT_EQ(body.readers, 611U);
        EXPECT_EQ(body.writers, 612U);
        EXPECT_EQ(body.sleeps, 613U);
        EXPECT_TRUE(body.fifo);
        EXPECT_FALSE(body.nonblock);
        EXPECT_TRUE(body.packet);
    }
}

TEST(Decode, Kill)
{
    const auto body = body_of<Kill>(kill());
    EXPECT_EQ(body.target, (Task{701, 702, SafeText::escape("stuck")}));
    EXPECT_EQ(body.signal, 9U);
    EXPECT_EQ(body.state, State::uninterruptible);
    EXPECT_EQ(body.origin, Origin::kernel);
    EXPECT_EQ(body.outcome, Outcome::already_pending);
    EXPECT_EQ(body.stuck_threads, 703U);
    EXPECT_EQ(body.stack, (std::vector<std::uint64_t>{710, 711, 712}));
    EXPECT_TRUE(body_of<Kill>(kill(0)).stack.empty());
    EXPECT_EQ(body_of<Kill>(kill(IPCSCOPE_STACK_DEPTH)).stack.back(), 710U + 31);
}

TEST(Decode, Tasks)
{
    const auto exit = body_of<TaskExit>(task_exit());
    EXPECT_EQ(exit.exit_code, -801);
    EXPECT_TRUE(exit.group_dead);
    EXPECT_EQ(body_of<TaskFree>(task_free()).task, (Task{901, 902, SafeText::escape("gone")}));
}

TEST(Decode, Notes)
{
    const auto named = body_of<Symbol>(symbol());
    EXPECT_EQ(named.id, 1001U);
    EXPECT_EQ(named.text.str(), "pipe_wait+0x6f/0xa0");
    const auto end = body_of<PipeEnd>(pipe_end());
    EXPECT_EQ(end.inode, 1101U);
    EXPECT_EQ(end.dev, 1102U);
    EXPECT_FALSE(end.reads);
    EXPECT_TRUE(end.writes);
    EXPECT_TRUE(end.fifo);
    EXPECT_EQ(end.path.str(), "/run/fifo\\x1b");
}

TEST(Decode, TrailingTextMayBeAbsentOrPadded)
{
    EXPECT_TRUE(body_of<Symbol>(symbol("")).text.empty());
    EXPECT_EQ(body_of<Symbol>(symbol({"ab\0\0\0", 5})).text.str(), "ab");
    EXPECT_EQ(body_of<Symbol>(symbol({"a\0b", 3})).text.str(), "a\\x00b");
    EXPECT_TRUE(body_of<PipeEnd>(pipe_end("")).path.empty());
    const std::string longest(UINT16_MAX - sizeof(ipcscope_symbol), 'n');
    EXPECT_EQ(body_of<Symbol>(symbol(longest)).text.str(), longest);
}

TEST(Decode, HostileNamesBecomeSafe)
{
    Record record = signal_generate();
    std::memcpy(record.data() + offsetof(ipcscope_header, comm), "\x1b]0;x\a\xff", 7);
    EXPECT_EQ(decode_exactly(record)->event.task.comm.str(), "\\x1b]0;x\\x07\\xff");
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
    EXPECT_TRUE(rest.empty());
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
        const std::size_t needed = kind == IPCSCOPE_SYMBOL     ? sizeof(ipcscope_symbol)
                                   : kind == IPCSCOPE_PIPE_END ? sizeof(ipcscope_pipe_end)
                                                               : record.size();
        for (std::size_t size = 0; size < needed; ++size) {
            poke(record, offsetof(ipcscope_header, size), static_cast<std::uint16_t>(size));
            expect_malformed(record, Malformed::size_too_small);
            EXPECT_EQ(record_size(record), size < sizeof(ipcscope_header) ? 0 : size);
        }
    }
}

TEST(Decode, RefusesUnknownKinds)
{
    for (const unsigned kind : {0U, unsigned{IPCSCOPE_KIND_COUNT}, 255U, 258U, 0xffffU}) {
        Record record = signal_get();
        poke(record, offsetof(ipcscope_header, kind), static_cast<std::uint16_t>(kind));
        expect_malformed(record, Malformed::unknown_kind);
        EXPECT_EQ(record_size(record), record.size());  // can be skipped
    }
}

TEST(Decode, RefusesAnotherCpuThanTheRings)
{
    for (const std::uint16_t kind : kKinds) {
        expect_malformed(record_of(kind), Malformed::bad_cpu, kCpu + 1);
        EXPECT_TRUE(decode_exactly(record_of(kind), kCollector));
    }
}

TEST(Decode, RefusesSignalNumbers)
{
    const std::pair<unsigned, std::size_t> places[] = {
        {IPCSCOPE_SIGNAL_GENERATE, offsetof(ipcscope_signal_generate, sig)},
        {IPCSCOPE_SIGNAL_SEND, offsetof(ipcscope_signal_send, sig)},
        {IPCSCOPE_SIGNAL_DELIVER, offsetof(ipcscope_signal_deliver, sig)},
        {IPCSCOPE_SIGNAL_DEQUEUE, offsetof(ipcscope_signal_dequeue, sig)},
        {IPCSCOPE_SIGNAL_GET, offsetof(ipcscope_signal_get, sig)},
        {IPCSCOPE_KILL, offsetof(ipcscope_kill, sig)},
    };
    for (const auto& [kind, at] : places)
        for (const unsigned sig : {0U, 1U, 64U, 65U, 256U, 0xffffU}) {
            Record record = record_of(kind);
            poke(record, at, static_cast<std::uint16_t>(sig));
            if ((sig >= 1 && sig <= 64) || (sig == 0 && kind == IPCSCOPE_SIGNAL_GET))
                EXPECT_TRUE(decode_exactly(record)) << kind_name(kind) << " " << sig;
            else
                expect_malformed(record, Malformed::bad_signal);
        }
}

TEST(Decode, RefusesIdsOutsideTheirList)
{
    struct Place {
        unsigned kind;
        std::size_t at;
        unsigned count;
    };
    const Place places[] = {
        {IPCSCOPE_SIGNAL_GENERATE, offsetof(ipcscope_signal_generate, result), 5},
        {IPCSCOPE_SIGNAL_GENERATE, offsetof(ipcscope_signal_generate, target_state), 11},
        {IPCSCOPE_SIGNAL_GENERATE, offsetof(ipcscope_signal_generate, origin), 3},
        {IPCSCOPE_SIGNAL_GENERATE, offsetof(ipcscope_signal_generate, disposition), 4},
        {IPCSCOPE_SIGNAL_DELIVER, offsetof(ipcscope_signal_deliver, disposition), 4},
        {IPCSCOPE_KILL, offsetof(ipcscope_kill, state), 11},
        {IPCSCOPE_KILL, offsetof(ipcscope_kill, origin), 3},
        {IPCSCOPE_KILL, offsetof(ipcscope_kill, result), 5},
    };
    for (const Place& place : places)
        for (unsigned id = 0; id < 256; ++id) {
            Record record = record_of(place.kind);
            poke(record, place.at, static_cast<std::uint8_t>(id));
            if (id < place.count)
                ASSERT_TRUE(decode_exactly(record)) << kind_name(place.kind) << " " << id;
            else
                expect_malformed(record, Malformed::bad_enum);
        }
}

TEST(Decode, RefusesADeeperStackThanARecordHolds)
{
    for (const std::uint32_t depth : {33U, 34U, 0x80000000U, 0xffffffffU})
        expect_malformed(kill(depth), Malformed::bad_stack_depth);
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
        ASSERT_NO_FATAL_FAILURE(walk(bytes, random() % 2 ? kCpu : kCollector));
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
                 static_cast<std::uint16_t>(random() % 12));
            poke(bytes, offsetof(ipcscope_header, size),
                 static_cast<std::uint16_t>(random() % 400));
        }
        ASSERT_NO_FATAL_FAILURE(walk(bytes, kCollector));
    }
}

}  // namespace
}  // namespace ipcscope::decode
