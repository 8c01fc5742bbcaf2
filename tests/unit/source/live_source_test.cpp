// SPDX-License-Identifier: GPL-2.0-only
#include "source/live_source.hpp"

#include <deque>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.hpp"
#include "notes.hpp"

namespace ipcscope::source {
namespace {

using namespace ipcscope::test;
using std::chrono::milliseconds;

using Bytes = std::vector<std::byte>;

template <typename Body>
Bytes record_of(Body body, unsigned kind, std::uint64_t time_ns)
{
    body.header.kind = static_cast<__u16>(kind);
    body.header.time_ns = time_ns;
    body.header.size = sizeof body;
    Bytes bytes(sizeof body);
    std::memcpy(bytes.data(), &body, sizeof body);
    return bytes;
}

/// What a producer is to give, and what it was asked.
struct Script {
    std::uint64_t start_ns = monotonic_ns();
    std::uint64_t stop_ns = 0;
    std::deque<Bytes> ring;           ///< of CPU 1, one record each drain
    std::vector<Bytes> unfinished;
    Result<void> detached;
    Ledger ledger = Ledger(2);
};

class Scripted final : public Producer {
public:
    explicit Scripted(Script& script) : script_(script) {}

    std::size_t cpus() const override { return 2; }
    void wait(milliseconds) override {}
    Drained drain(std::size_t cpu) override
    {
        if (cpu == 0 || script_.ring.empty()) return {{}, true};
        now_ = script_.ring.front();
        script_.ring.pop_front();
        return {now_, script_.ring.empty()};
    }
    Result<void> alive() override { return {}; }
    Result<void> detach() override
    {
        script_.stop_ns = monotonic_ns();
        return script_.detached;
    }
    Ledger ledger() const override { return script_.ledger; }
    std::uint64_t start_ns() const override { return script_.start_ns; }
    std::uint64_t stop_ns() const override { return script_.stop_ns; }
    void unfinished(const Visit& visit) const override
    {
        for (Bytes record : script_.unfinished) {
            reinterpret_cast<ipcscope_header*>(record.data())->time_ns = script_.stop_ns;
            visit(record);
        }
    }
    const std::vector<HookStatus>& hooks() const override { return hooks_; }

private:
    Script& script_;
    Bytes now_;
    std::vector<HookStatus> hooks_;
};

struct Recorder final : Sink {
    Host host_seen;
    std::vector<Note> notes;            ///< of the collector
    std::vector<Note> records_seen;     ///< of the rings
    std::uint64_t watermark_ns = 0;
    Ledger last_ledger;
    std::uint64_t end_ns = 0;
    unsigned hosts = 0;

    Result<void> host(const Host& host) override
    {
        host_seen = host;
        ++hosts;
        return {};
    }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        EXPECT_EQ(hosts, 1u);
        for (Note& note : notes_in(bytes)) {
            EXPECT_GE(note.header.time_ns, watermark_ns) << "late, kind " << note.header.kind;
            EXPECT_EQ(end_ns, 0u);
            if (cpu == kCollectorCpu && records_seen.empty()) ++notes_before;
            (cpu == kCollectorCpu ? notes : records_seen).push_back(std::move(note));
        }
        return {};
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        EXPECT_GE(time_ns, watermark_ns);
        watermark_ns = time_ns;
        return {};
    }
    Result<void> ledger(const Ledger& ledger) override
    {
        last_ledger = ledger;
        return {};
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        EXPECT_EQ(end_ns, 0u);
        end_ns = time_ns;
        return {};
    }
    std::size_t count(unsigned kind) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(
            notes, [&](const Note& note) { return note.header.kind == kind; }));
    }
    std::size_t notes_before = 0;   ///< the first record of a ring
};

struct LiveSourceTest : testing::Test {
    Script script;
    Recorder sink;
    Options options;
    std::unique_ptr<Source> open()
    {
        auto stacks = std::make_unique<ThreadStacks>();
        auto calls = std::make_unique<CallsBefore>(options, *stacks);
        return live_source(std::make_unique<Scripted>(script), std::move(stacks),
                           std::move(calls), "bpf", options);
    }
};

ipcscope_call read_of(int fd)
{
    struct stat info {};
    EXPECT_EQ(fstat(fd, &info), 0);
    ipcscope_call call{};
    call.object = info.st_ino;
    call.dev = (major(info.st_dev) << 20) | minor(info.st_dev);
    call.type = IPCSCOPE_OBJECT_PIPE;
    return call;
}

TEST_F(LiveSourceTest, TheWindowIsTheProducers)
{
    const auto source = open();
    ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    ASSERT_TRUE(source->finish(sink));
    ASSERT_TRUE(source->finish(sink));   // no effect
    EXPECT_EQ(sink.host_seen.start_ns, script.start_ns);
    EXPECT_EQ(sink.host_seen.cpus, 2u);
    EXPECT_EQ(sink.end_ns, script.stop_ns);
    EXPECT_EQ(sink.watermark_ns, script.stop_ns);
}

TEST_F(LiveSourceTest, ThreadsAreToldBeforeAnyWatermark)
{
    const Child child([] {});
    script.ring.push_back(record_of(ipcscope_slice{}, IPCSCOPE_SLICE, monotonic_ns()));
    const auto source = open();
    while (sink.watermark_ns == 0) {
        ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    }
    const auto swept = std::ranges::find_if(sink.notes, [&](const Note& note) {
        return note.header.kind == IPCSCOPE_THREAD && note.header.tid == child.pid();
    });
    ASSERT_NE(swept, sink.notes.end());
    EXPECT_EQ(swept->header.time_ns, script.start_ns);
    EXPECT_GT(sink.notes_before, 0u);
    // and never again
    const auto threads = sink.count(IPCSCOPE_THREAD);
    ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    EXPECT_EQ(sink.count(IPCSCOPE_THREAD), threads);
    EXPECT_EQ(sink.records_seen.size(), 1u);
}

TEST_F(LiveSourceTest, ATraceThatEndsAtOnceHasTheSweep)
{
    const auto source = open();
    ASSERT_TRUE(source->finish(sink));
    EXPECT_GT(sink.count(IPCSCOPE_THREAD), 0u);
    EXPECT_EQ(sink.end_ns, script.stop_ns);
}

TEST_F(LiveSourceTest, WhatIsLeftInTheRingsComesBeforeTheEnd)
{
    const auto source = open();
    for (int i = 0; i < 10; ++i) {
        script.ring.push_back(record_of(ipcscope_slice{}, IPCSCOPE_SLICE, monotonic_ns()));
    }
    ASSERT_TRUE(source->finish(sink));
    EXPECT_EQ(sink.records_seen.size(), 10u);
}

TEST_F(LiveSourceTest, UnfinishedRecordsAreInTheLedger)
{
    script.ledger[0].kind[IPCSCOPE_CALL_PIPE].emitted = 5;
    script.ledger[0].lost = 3;
    script.ledger[1].lost = 4;
    script.unfinished.push_back(record_of(ipcscope_call_split{}, IPCSCOPE_CALL_PIPE, 0));
    script.unfinished.push_back(record_of(ipcscope_thread_time{}, IPCSCOPE_THREAD_TIME, 0));
    script.unfinished.push_back(record_of(ipcscope_thread_time{}, IPCSCOPE_THREAD_TIME, 0));
    const auto source = open();
    ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    usleep(50'000);   // the watermark runs after the clock, and must stop at the end
    ASSERT_TRUE(source->finish(sink));
    ASSERT_EQ(sink.records_seen.size(), 3u);
    for (const Note& note : sink.records_seen) {
        EXPECT_EQ(note.header.time_ns, script.stop_ns);
        EXPECT_EQ(note.header.cpu, 0);
        EXPECT_EQ(note.header.lost_before, 3u);
    }
    EXPECT_EQ(sink.last_ledger[0].kind[IPCSCOPE_CALL_PIPE].emitted, 6u);
    EXPECT_EQ(sink.last_ledger[0].kind[IPCSCOPE_THREAD_TIME].emitted, 2u);
}

TEST_F(LiveSourceTest, HoldersAsTheCallIsSeenAndAgainWhereItNeverReturned)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Child child([] {});
    const auto holders = [&] {
        std::size_t count = 0;
        for (const Note& note : sink.notes) {
            count += note.header.kind == IPCSCOPE_HOLDER && note.header.tgid == child.pid() &&
                     note.as<ipcscope_holder>().object == read_of(ends[0]).object;
            EXPECT_FALSE(note.header.kind == IPCSCOPE_HOLDER &&
                         note.header.tgid == static_cast<std::uint32_t>(getpid()));
        }
        return count;
    };
    const auto source = open();
    while (sink.watermark_ns == 0) {
        ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    }
    EXPECT_EQ(holders(), 1u) << "as the trace began";
    script.ring.push_back(record_of(read_of(ends[0]), IPCSCOPE_CALL_PIPE, monotonic_ns()));
    ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    EXPECT_EQ(holders(), 2u) << "at the first call";
    ipcscope_call waits = read_of(ends[0]);
    waits.header.flags = IPCSCOPE_UNFINISHED;
    script.unfinished.push_back(record_of(waits, IPCSCOPE_CALL_PIPE, 0));
    ASSERT_TRUE(source->finish(sink));
    // One more where a process waits for what this test prints: all of a holder's pipes.
    EXPECT_GE(holders(), 3u) << "at the end";
    EXPECT_LE(sink.notes.back().header.time_ns, script.stop_ns);
    close(ends[0]);
    close(ends[1]);
}

TEST_F(LiveSourceTest, AStackIsNamed)
{
    ipcscope_kill kill{};
    kill.stack_depth = 2;
    kill.stack[0] = kill.stack[1] = 1;   // no kernel text
    script.ring.push_back(record_of(kill, IPCSCOPE_KILL, monotonic_ns()));
    const auto source = open();
    ASSERT_TRUE(source->finish(sink));
    const auto got = sink.records_seen.at(0).as<ipcscope_kill>();
    EXPECT_EQ(got.stack_depth, 2u);
    EXPECT_EQ(got.stack[0], got.stack[1]);
    EXPECT_EQ(sink.count(IPCSCOPE_SYMBOL), 1u);
}

TEST_F(LiveSourceTest, AProcessThatDoesNotEndIsLookedAt)
{
    const Child child([] {});
    ipcscope_signal_generate sent{};
    sent.target_tgid = sent.target_tid = child.pid();
    sent.sig = SIGTERM;
    sent.fatal = 1;
    const std::uint64_t sent_ns = monotonic_ns();
    script.ring.push_back(record_of(sent, IPCSCOPE_SIGNAL_GENERATE, sent_ns));
    options.stuck_after_ns = 20'000'000;
    const auto source = open();
    while (sink.count(IPCSCOPE_OBSERVED) == 0 && monotonic_ns() < sent_ns + 5'000'000'000) {
        ASSERT_TRUE(source->poll(sink, milliseconds(0)));
    }
    const auto found = std::ranges::find_if(sink.notes, [](const Note& note) {
        return note.header.kind == IPCSCOPE_OBSERVED;
    });
    ASSERT_NE(found, sink.notes.end());
    const auto look = found->as<ipcscope_observed>();
    EXPECT_GE(look.header.time_ns, sent_ns + options.stuck_after_ns);
    EXPECT_EQ(look.header.tid, child.pid());
    EXPECT_EQ(look.sent_ns, sent_ns);
    EXPECT_EQ(look.sig, SIGTERM);
    EXPECT_EQ(look.ppid, static_cast<std::uint32_t>(getpid()));
    const auto name = std::ranges::find_if(sink.notes, [&](const Note& note) {
        return note.header.kind == IPCSCOPE_THREAD && note.header.tid == child.pid() &&
               note.header.time_ns == look.header.time_ns;
    });
    EXPECT_LT(name, found) << "a name comes before what it names";
    const auto looks = sink.count(IPCSCOPE_OBSERVED);
    usleep(30'000);
    ASSERT_TRUE(source->finish(sink));
    EXPECT_EQ(sink.count(IPCSCOPE_OBSERVED), looks + 1) << "again at the end";
}

TEST_F(LiveSourceTest, BytesThatAreNoRecordsArePassedOn)
{
    script.ring.push_back(Bytes(48));   // of the size 0
    Bytes beyond = record_of(ipcscope_slice{}, IPCSCOPE_SLICE, monotonic_ns());
    beyond.resize(40);
    script.ring.push_back(beyond);
    const auto source = open();
    struct Counter final : Sink {
        std::size_t bytes = 0;
        Result<void> host(const Host&) override { return {}; }
        Result<void> records(unsigned cpu, std::span<const std::byte> from) override
        {
            bytes += cpu == kCollectorCpu ? 0 : from.size();
            return {};
        }
        Result<void> watermark(std::uint64_t) override { return {}; }
        Result<void> ledger(const Ledger&) override { return {}; }
        Result<void> end(std::uint64_t) override { return {}; }
    } counter;
    ASSERT_TRUE(source->finish(counter));
    EXPECT_EQ(counter.bytes, 88u);
}

TEST_F(LiveSourceTest, WhereItCannotDetachTheEndIsNotSaid)
{
    script.detached = fail(Exit::producer, "gone");
    script.ring.push_back(record_of(ipcscope_slice{}, IPCSCOPE_SLICE, monotonic_ns()));
    const auto source = open();
    const auto finished = source->finish(sink);
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().message, "gone");
    EXPECT_EQ(sink.end_ns, 0u);
    EXPECT_EQ(sink.records_seen.size(), 1u) << "what there was is kept";
    EXPECT_EQ(sink.last_ledger.size(), 2u);
}

}  // namespace
}  // namespace ipcscope::source
