// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/time_ledger.hpp"

#include <cerrno>
#include <map>
#include <numeric>
#include <random>
#include <tuple>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

std::uint64_t sum(const Time& time)
{
    return std::accumulate(time.parts_ns.begin(), time.parts_ns.end(), std::uint64_t{0});
}

/// Only these parts, and nothing else.
void expect_parts(const Time& time, const std::map<Part, std::uint64_t>& wanted)
{
    for (std::size_t at = 0; at < kParts; ++at) {
        const auto part = static_cast<Part>(at);
        const auto found = wanted.find(part);
        EXPECT_EQ(time.at(part), found == wanted.end() ? 0 : found->second) << part_name(part);
    }
    EXPECT_EQ(sum(time), time.span_ns);
}

decode::Call after_poll(bool write, std::uint64_t since_ns, std::uint64_t enter_ns,
                        std::uint64_t polling_ns, std::int32_t ret = 4096)
{
    auto body = op(write, 7, enter_ns, ret);
    body.since_ns = since_ns;
    body.between_polling_ns = polling_ns;
    return body;
}

decode::Slice slice(std::uint8_t state, std::uint64_t start_ns, std::uint64_t end_ns,
                    bool in_call = false)
{
    decode::Slice out{};
    out.start_ns = start_ns;
    out.end_ns = end_ns;
    out.state = state;
    out.call = in_call ? IPCSCOPE_CALL_PIPE : 0;
    return out;
}

TEST(TimeLedgers, CutACallAndTheTimeBeforeIt)
{
    TimeLedger ledger;
    auto body = op(false, 7, 1000, 1, 300);
    body.since_ns = 100;
    body.between_runnable_ns = 10;
    body.between_sleeping_ns = 20;
    body.between_polling_ns = 30;
    body.between_uninterruptible_ns = 40;
    body.between_killable_ns = 50;
    body.between_other_ns = 60;
    body.runnable_ns = 70;
    body.uninterruptible_ns = 80;
    const auto entry = ledger.call(call(1500, task(1), body), body);
    EXPECT_TRUE(entry.first);
    EXPECT_EQ(entry.before.span_ns, 900u);
    EXPECT_EQ(entry.inside.span_ns, 500u);
    expect_parts(entry.before, {{Part::running, 690}, {Part::runnable, 10},
                                {Part::sleeping, 20}, {Part::poll_input, 30},
                                {Part::uninterruptible, 40}, {Part::killable, 50},
                                {Part::other, 60}});
    expect_parts(entry.inside, {{Part::running, 50}, {Part::runnable, 70}, {Part::input, 300},
                                {Part::call_uninterruptible, 80}});
}

TEST(TimeLedgers, KnowWhatACallBlocksFor)
{
    for (const auto& [what, part] :
         {std::pair{IPCSCOPE_OP_READ, Part::input}, {IPCSCOPE_OP_WRITE, Part::output},
          {IPCSCOPE_OP_SEND, Part::output}, {IPCSCOPE_OP_RECEIVE, Part::input},
          {IPCSCOPE_OP_WAIT, Part::call}}) {
        TimeLedger ledger;
        auto body = op(false, 7, 1000, 1, 300);
        body.type = IPCSCOPE_OBJECT_UNIX_STREAM;
        body.op = static_cast<std::uint8_t>(what);
        EXPECT_EQ(ledger.call(call(1300, task(1), body), body).inside.at(part), 300u);
    }
}

TEST(TimeLedgers, MissingRecordsLeaveTimeUnaccounted)
{
    TimeLedger ledger;
    const auto first = op(false, 7, 1000, 1);
    ledger.call(call(1100, task(1), first), first);
    auto next = op(false, 7, 1400, 1);
    next.since_ns = 1300;
    const auto entry = ledger.call(call(1500, task(1), next), next);
    EXPECT_FALSE(entry.first);
    expect_parts(entry.before, {{Part::unaccounted, 200}, {Part::running, 100}});
    ledger.forget(1);                               // it exited: the next 1 is another
    auto other = op(false, 7, 9000, 1);
    EXPECT_TRUE(ledger.call(call(9100, task(1), other), other).first);
}

TEST(TimeLedgers, SlicesSplitWhatOtherWas)
{
    TimeLedger ledger;
    const auto put = [&](decode::Slice body) {
        ledger.slice(event(body.end_ns, task(1), IPCSCOPE_SLICE, body), body);
    };
    put(slice(IPCSCOPE_STATE_STOPPED, 100, 150));
    put(slice(IPCSCOPE_STATE_TRACED, 150, 170));
    put(slice(IPCSCOPE_STATE_FROZEN, 170, 200));
    put(slice(IPCSCOPE_STATE_INTERRUPTIBLE, 200, 900));   // a field has it
    put(slice(IPCSCOPE_STATE_STOPPED, 1000, 1040, true));
    auto body = op(true, 7, 1000, 1);
    body.since_ns = 100;
    body.between_sleeping_ns = 700;
    body.between_other_ns = 105;
    body.uninterruptible_ns = 50;
    const auto entry = ledger.call(call(1100, task(1), body), body);
    expect_parts(entry.before, {{Part::running, 95}, {Part::sleeping, 700}, {Part::stopped, 50},
                                {Part::traced, 20}, {Part::frozen, 30}, {Part::other, 5}});
    expect_parts(entry.inside, {{Part::running, 50}, {Part::stopped, 40},
                                {Part::call_uninterruptible, 10}});
    auto later = op(true, 7, 1300, 1);
    later.since_ns = 1100;
    later.between_other_ns = 100;                        // its slices are used up
    EXPECT_EQ(ledger.call(call(1301, task(1), later), later).before.at(Part::other), 100u);
}

TEST(TimeLedgers, APollGoesToTheObjectThatIsReadNext)
{
    TimeLedger ledger;
    const auto body = after_poll(false, 100, 1000, 850);
    expect_parts(ledger.call(call(1001, task(1), body), body).before,
                 {{Part::running, 50}, {Part::poll_input, 850}});
    const auto end = thread_end(3000, task(1), 1001, false);
    auto time = std::get<decode::ThreadTime>(end.body);
    time.between_polling_ns = 1999;
    EXPECT_EQ(ledger.time(end, time).before.at(Part::poll_unknown), 1999u);
}

/// poll(NULL, 0, 200): no process ended it.
TEST(TimeLedgers, APollThatOnlyTimedOutIsASleep)
{
    for (const std::uint32_t waker : {0u, 2u}) {
        TimeLedger ledger;
        decode::Slice slice{};
        slice.state = IPCSCOPE_STATE_POLLING;
        slice.waker_tid = waker;
        slice.start_ns = 110;
        slice.end_ns = 950;
        ledger.slice(event(950, task(1), IPCSCOPE_SLICE, slice), slice);
        const auto body = after_poll(false, 100, 1000, 850);
        const Time before = ledger.call(call(1001, task(1), body), body).before;
        EXPECT_EQ(before.at(waker == 0 ? Part::poll_other : Part::poll_input),
                  waker == 0 ? 840u : 850u);
        EXPECT_EQ(before.poll_ns(), 850u);
    }
}

TEST(TimeLedgers, APollBeforeEagainIsForWhatIsNotKnown)
{
    for (const bool write : {false, true}) {
        TimeLedger ledger;
        const auto body = after_poll(write, 100, 1000, 850, -EAGAIN);
        EXPECT_EQ(ledger.call(call(1001, task(1), body), body).before.at(Part::poll_unknown),
                  850u);
    }
}

/// What a sensor does that sleeps in select(): its pipe has room all the time.
TEST(TimeLedgers, APollBeforeAWriteIsForOutputOnlyWhereThePipeWasFull)
{
    TimeLedger ledger;
    const auto put = [&](std::uint64_t exit, const decode::Call& body) {
        return ledger.call(call(exit, task(1), body), body).before;
    };
    EXPECT_EQ(put(1001, after_poll(true, 100, 1000, 850)).at(Part::poll_unknown), 850u);
    expect_parts(put(2001, after_poll(true, 1001, 2000, 990)),
                 {{Part::poll_other, 990}, {Part::running, 9}});
    put(2010, after_poll(true, 2001, 2009, 0, -EAGAIN));          // full
    expect_parts(put(3001, after_poll(true, 2010, 3000, 980)),
                 {{Part::poll_output, 980}, {Part::running, 10}});
    auto partial = after_poll(true, 3001, 3002, 0, 100);          // of 4096: full again
    put(3003, partial);
    EXPECT_EQ(put(4001, after_poll(true, 3003, 4000, 900)).at(Part::poll_output), 900u);
    auto last = after_poll(true, 4001, 4002, 0);
    last.tail.pipe.used_slots = 15;                               // it takes the last page
    put(4003, last);
    EXPECT_EQ(put(5001, after_poll(true, 4003, 5000, 900)).at(Part::poll_output), 900u);
}

/// An event loop polls its input with a timeout of 40, and passes each line on at once.
TEST(TimeLedgers, APollWithATimeoutThatEndsForTheInputWasForIt)
{
    for (const bool for_it : {true, false}) {
        TimeLedger ledger;
        const auto put = [&](std::uint32_t pid, std::uint64_t exit, const decode::Call& body) {
            return ledger.call(call(exit, task(pid), body), body).before;
        };
        put(2, for_it ? 990 : 300, op(true, 7, for_it ? 989 : 290, 4096));
        decode::Slice slice{};
        slice.state = IPCSCOPE_STATE_POLLING;
        slice.start_ns = 110;
        slice.end_ns = 950;
        ledger.slice(event(950, task(1), IPCSCOPE_SLICE, slice), slice);
        const Time before = put(1, 1001, after_poll(false, 100, 1000, 880));
        EXPECT_EQ(before.at(Part::poll_input), for_it ? 880u : 40u);
        EXPECT_EQ(before.at(Part::poll_other), for_it ? 0u : 840u);
    }
}

/// What a pipe holds is all read at once: a poll after that is not for room.
TEST(TimeLedgers, APollAfterAllWasReadIsForNoRoom)
{
    TimeLedger ledger;
    const auto put = [&](std::uint32_t pid, std::uint64_t exit, const decode::Call& body) {
        return ledger.call(call(exit, task(pid), body), body).before;
    };
    auto large = after_poll(true, 100, 109, 0, 65'536);
    large.requested = 65'536;
    put(1, 110, large);
    auto all = op(false, 7, 120, 65'536);
    all.tail.pipe.used_slots = 16;
    put(2, 130, all);
    large = after_poll(true, 110, 1000, 880, 65'536);
    large.requested = 65'536;
    const Time before = put(1, 1001, large);
    EXPECT_EQ(before.at(Part::poll_output), 20u);
    EXPECT_EQ(before.at(Part::poll_other), 860u);
}

/// A reader that sleeps in select() although its pipe has bytes waits for no input.
TEST(TimeLedgers, APollWhileThereIsInputIsForSomethingElse)
{
    TimeLedger ledger;
    const auto put = [&](std::uint32_t pid, std::uint64_t exit, const decode::Call& body) {
        return ledger.call(call(exit, task(pid), body), body).before;
    };
    put(2, 300, op(true, 7, 290, 4096));
    // In poll from 100 on: for input until 300; it then took 5 to come.
    expect_parts(put(1, 306, after_poll(false, 100, 305, 200)),
                 {{Part::poll_input, 200}, {Part::running, 5}});
    // From 310 on there are bytes in the pipe, and it does not come for them.
    put(2, 310, op(true, 7, 307, 4096));
    expect_parts(put(1, 1306, after_poll(false, 306, 1306, 990)),
                 {{Part::poll_other, 986}, {Part::poll_input, 4}, {Part::running, 10}});
    // Now it is empty.
    EXPECT_EQ(put(1, 2000, after_poll(false, 1306, 1999, 600)).at(Part::poll_input), 600u);
}

TEST(TimeLedgers, AReadThatFoundItEmptyMakesUpForOneThatIsLost)
{
    TimeLedger ledger;
    const auto put = [&](std::uint32_t pid, std::uint64_t exit, const decode::Call& body) {
        return ledger.call(call(exit, task(pid), body), body).before;
    };
    put(2, 300, op(true, 7, 290, 4096));   // what took it is not in the trace
    put(1, 401, op(false, 7, 400, -EAGAIN));
    put(2, 1300, op(true, 7, 1290, 4096));
    expect_parts(put(1, 1306, after_poll(false, 401, 1305, 899)),
                 {{Part::poll_input, 899}, {Part::running, 5}});
}

TEST(TimeLedgers, AReadMayReturnBeforeItsWrite)
{
    TimeLedger ledger;
    const auto put = [&](std::uint32_t pid, std::uint64_t exit, const decode::Call& body) {
        return ledger.call(call(exit, task(pid), body), body).before;
    };
    for (std::uint64_t at = 1000; at < 9000; at += 1000) {
        EXPECT_EQ(put(1, at + 20, after_poll(false, at - 900, at + 10, 900)).at(Part::poll_input),
                  900u);
        put(2, at + 30, op(true, 7, at, 4096));
    }
}

decode::Call any_call()
{
    const auto time = [] { return *rc::gen::inRange<std::uint64_t>(0, 5000); };
    const auto part = [] { return *rc::gen::element<std::uint64_t>(0, 7, 300, UINT64_MAX); };
    decode::Call body = op(*rc::gen::arbitrary<bool>(), *rc::gen::inRange<std::uint64_t>(1, 3),
                           time(), *rc::gen::element(-EAGAIN, 0, 100, 4096, INT32_MIN), part());
    body.op = static_cast<std::uint8_t>(*rc::gen::inRange(0, IPCSCOPE_OP_COUNT));
    body.since_ns = time();
    body.runnable_ns = part();
    body.uninterruptible_ns = part();
    body.between_runnable_ns = part();
    body.between_sleeping_ns = part();
    body.between_polling_ns = part();
    body.between_uninterruptible_ns = part();
    body.between_killable_ns = part();
    body.between_other_ns = part();
    return body;
}

RC_GTEST_PROP(TimeLedgers, PartsAddUpToTheSpanWhateverTheRecordsSay, ())
{
    Aggregator aggregator;
    TimeLedger ledger;
    Time total;
    std::map<std::uint32_t, Time> by_process;
    const auto count = *rc::gen::inRange(0, 60);
    for (int i = 0; i < count; ++i) {
        const auto who = task(*rc::gen::inRange(1u, 3u), "x", *rc::gen::inRange(10u, 14u));
        const auto time = *rc::gen::inRange<std::uint64_t>(0, 5000);
        decode::Event what;
        TimeLedger::Entry entry;
        switch (*rc::gen::inRange(0, 3)) {
        case 0: {
            const auto body = slice(static_cast<std::uint8_t>(*rc::gen::inRange(0, 14)),
                                    *rc::gen::inRange<std::uint64_t>(0, 5000),
                                    *rc::gen::inRange<std::uint64_t>(0, 5000),
                                    *rc::gen::arbitrary<bool>());
            what = event(time, who, IPCSCOPE_SLICE, body);
            ledger.slice(what, body);
            break;
        }
        case 1: {
            what = thread_end(time, who, *rc::gen::inRange<std::uint64_t>(0, 5000), false, 40);
            entry = ledger.time(what, std::get<decode::ThreadTime>(what.body));
            break;
        }
        default: {
            const auto body = any_call();
            what = call(time, who, body);
            entry = ledger.call(what, body);
        }
        }
        aggregator.event(what);
        RC_ASSERT(sum(entry.before) == entry.before.span_ns);
        RC_ASSERT(sum(entry.inside) == entry.inside.span_ns);
        for (const Time& part : {entry.before, entry.inside}) {
            by_process[who.tgid] += part;
            total += part;
        }
    }
    RC_ASSERT(sum(total) == total.span_ns);
    // Of a process, the sum over its threads.
    const auto report = finish(aggregator);
    Time shown;
    for (const auto& row : report.processes) {
        RC_ASSERT(row.time.span_ns == by_process[row.task.tgid].span_ns);
        RC_ASSERT(row.time.parts_ns == by_process[row.task.tgid].parts_ns);
        shown += row.time;
    }
    RC_ASSERT(shown.span_ns == total.span_ns);
    for (const auto& line : report.pipelines)
        for (const auto& stage : line.stages) RC_ASSERT(sum(stage.time) == stage.time.span_ns);
}

TEST(Processes, AreTheSumOfTheirThreads)
{
    Aggregator a;
    a.event(call(200, task(1, "p", 11), op(true, 7, 100, 1, 60)));
    a.event(call(300, task(1, "p", 12), op(false, 7, 100, 1, 150)));
    a.event(thread_end(500, task(1, "p", 11), 200, true, 250));
    a.event(thread_end(500, task(1, "p", 12), 300, false));
    a.event(thread_end(500, task(9, "killed"), 500));       // not traced: no time
    const auto report = finish(a);
    ASSERT_EQ(report.processes.size(), 1u);
    EXPECT_EQ(report.processes[0].threads, 2u);
    EXPECT_EQ(report.processes[0].time.span_ns, 100u + 200 + 300 + 200);
    expect_parts(report.processes[0].time, {{Part::running, 800 - 60 - 150 - 250},
                                            {Part::output, 60}, {Part::input, 150},
                                            {Part::sleeping, 250}});
}

TEST(BoundedMaps, GiveUpWhatWasNotUsedForLongest)
{
    BoundedMap<int, int> map(2);
    map.use(1) = 10;
    map.use(2) = 20;
    EXPECT_EQ(map.use(1), 10);
    map.use(3) = 30;
    EXPECT_EQ(map.evicted(), 1u);
    EXPECT_EQ(map.find(2), nullptr);
    EXPECT_EQ(*map.find(1), 10);
    map.erase(1);
    map.erase(1);
    EXPECT_EQ(map.size(), 1u);
}

/// Few keys of one hash value, so that elements stand in each other's places.
TEST(BoundedMaps, FindAndEraseAsAMapDoes)
{
    struct Poor {
        std::size_t operator()(int key) const { return static_cast<std::size_t>(key % 3); }
    };
    BoundedMap<int, int, Poor> map(40);
    std::map<int, int> expected;
    std::mt19937 random(7);
    for (int step = 0; step < 20'000; ++step) {
        const int key = static_cast<int>(random() % 40);
        switch (random() % 3) {
        case 0: map.use(key) = expected[key] = step; break;
        case 1: map.erase(key); expected.erase(key); break;
        default: {
            const int* found = map.find(key);
            ASSERT_EQ(found != nullptr, expected.contains(key)) << step;
            ASSERT_TRUE(found == nullptr || *found == expected[key]) << step;
        }
        }
        ASSERT_EQ(map.size(), expected.size());
    }
    EXPECT_EQ(map.evicted(), 0u);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
