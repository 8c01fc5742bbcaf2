// SPDX-License-Identifier: GPL-2.0-only
#include "time_ledger.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "decode/time.hpp"

namespace ipcscope::conformance {
namespace {

void add(TimeSum& sum, const decode::Between& part)
{
    sum.span_ns += part.span_ns;
    sum.running_ns += part.running_ns;
    sum.runnable_ns += part.runnable_ns;
    sum.sleeping_ns += part.sleeping_ns;
    sum.polling_ns += part.polling_ns;
    sum.uninterruptible_ns += part.uninterruptible_ns;
    sum.killable_ns += part.killable_ns;
    sum.other_ns += part.other_ns;
}

void add(TimeSum& sum, const decode::Inside& part)
{
    sum.span_ns += part.span_ns;
    sum.in_call_running_ns += part.running_ns;
    sum.in_call_runnable_ns += part.runnable_ns;
    sum.blocked_ns += part.blocked_ns;
    sum.in_call_d_ns += part.uninterruptible_ns;
}

TimeSum sum_of(const decode::Event& event)
{
    TimeSum sum;
    if (const auto* call = std::get_if<decode::Call>(&event.body)) {
        add(sum, decode::between(*call));
        add(sum, decode::inside(event, *call));
    } else {
        add(sum, decode::between(event, std::get<decode::ThreadTime>(event.body)));
    }
    return sum;
}

void operator+=(TimeSum& all, const TimeSum& one)
{
    add(all, static_cast<const decode::Between&>(one));
    all.blocked_ns += one.blocked_ns;
    all.in_call_d_ns += one.in_call_d_ns;
    all.in_call_running_ns += one.in_call_running_ns;
    all.in_call_runnable_ns += one.in_call_runnable_ns;
}

std::uint64_t since_of(const decode::Event& event)
{
    const auto* call = std::get_if<decode::Call>(&event.body);
    return call ? call->since_ns : std::get<decode::ThreadTime>(event.body).since_ns;
}

std::string title(const ThreadLedger& thread)
{
    const auto& task = thread.records.empty() ? thread.slices.front().event->task
                                              : thread.records.back()->task;
    return show(task);
}

/// All that it did but run, as the record has it: decode cuts what is too much.
template <typename Body>
std::uint64_t between_parts(const Body& body)
{
    return body.between_runnable_ns + body.between_sleeping_ns + body.between_polling_ns +
           body.between_uninterruptible_ns + body.between_killable_ns + body.between_other_ns;
}

void expect_parts_fit(const decode::Event& event, const std::string& whose)
{
    if (const auto* call = std::get_if<decode::Call>(&event.body)) {
        EXPECT_LE(call->since_ns, call->enter_ns) << whose;
        EXPECT_LE(call->enter_ns, event.time_ns) << whose;
        EXPECT_LE(between_parts(*call), call->enter_ns - call->since_ns) << whose;
        EXPECT_LE(call->blocked_ns + call->runnable_ns + call->uninterruptible_ns,
                  event.time_ns - call->enter_ns) << whose;
        return;
    }
    const auto& time = std::get<decode::ThreadTime>(event.body);
    EXPECT_LE(time.since_ns, event.time_ns) << whose;
    EXPECT_LE(between_parts(time), event.time_ns - time.since_ns) << whose;
}

constexpr std::uint64_t kLatestHook_ns = 20'000'000;

/// One record after the other, each exact.
void expect_chain(const ThreadLedger& thread, const Capture& capture)
{
    std::uint64_t last = 0;
    for (const decode::Event* event : thread.records) {
        const std::uint64_t since = since_of(*event);
        EXPECT_EQ(since, last ? last : since) << title(thread) << " kind " << event->kind;
        EXPECT_GE(since, capture.host.start_ns) << title(thread);
        const TimeSum sum = sum_of(*event);
        EXPECT_EQ(sum.span_ns, event->time_ns - since) << title(thread);
        EXPECT_EQ(sum.parts(), sum.span_ns) << title(thread) << " kind " << event->kind;
        expect_parts_fit(*event, title(thread));
        last = event->time_ns;
    }
    if (!thread.exited) {
        EXPECT_TRUE(thread.records.back()->unfinished) << title(thread);
        // The trace ends with its last record.  That may be of a hook that had begun before
        // the stop, where all that is unfinished ends.
        EXPECT_LE(last, capture.end_ns) << title(thread);
        EXPECT_LE(capture.end_ns - last, kLatestHook_ns) << title(thread);
    }
}

void expect_slices(const ThreadLedger& thread)
{
    std::array<std::uint64_t, IPCSCOPE_STATE_COUNT> outside{}, inside{};
    std::uint64_t end = 0;
    for (const auto& slice : thread.slices) {
        ASSERT_LT(slice->state, IPCSCOPE_STATE_COUNT) << title(thread);
        EXPECT_LE(end, slice->start_ns) << title(thread) << " state " << int{slice->state};
        EXPECT_LE(slice->start_ns, slice->end_ns) << title(thread);
        EXPECT_LE(slice->end_ns, slice.event->time_ns) << title(thread);
        end = slice->end_ns;
        (slice->call ? inside : outside)[slice->state] += slice->end_ns - slice->start_ns;
    }
    if (thread.records.empty()) {
        return;
    }
    const TimeSum& sum = thread.sum;
    const auto at_most = [&](std::uint64_t slices, std::uint64_t time, const char* state) {
        EXPECT_LE(slices, time) << title(thread) << ' ' << state;
    };
    at_most(outside[IPCSCOPE_STATE_RUNNING] + inside[IPCSCOPE_STATE_RUNNING],
            sum.all_running_ns(), "running");
    at_most(outside[IPCSCOPE_STATE_RUNNABLE], sum.runnable_ns, "runnable");
    at_most(outside[IPCSCOPE_STATE_INTERRUPTIBLE] + outside[IPCSCOPE_STATE_IDLE],
            sum.sleeping_ns, "sleeping");
    at_most(outside[IPCSCOPE_STATE_POLLING], sum.polling_ns, "polling");
    at_most(outside[IPCSCOPE_STATE_UNINTERRUPTIBLE], sum.uninterruptible_ns, "D");
    at_most(outside[IPCSCOPE_STATE_KILLABLE], sum.killable_ns, "K");
    at_most(inside[IPCSCOPE_STATE_INTERRUPTIBLE] + inside[IPCSCOPE_STATE_POLLING],
            sum.blocked_ns, "blocked");
    std::uint64_t others = 0;
    for (unsigned state : {IPCSCOPE_STATE_UNKNOWN, IPCSCOPE_STATE_STOPPED,
                           IPCSCOPE_STATE_TRACED, IPCSCOPE_STATE_ZOMBIE, IPCSCOPE_STATE_DEAD,
                           IPCSCOPE_STATE_OTHER, IPCSCOPE_STATE_FROZEN}) {
        others += outside[state];
    }
    EXPECT_EQ(others, sum.other_ns) << title(thread);
}

}  // namespace

std::vector<ThreadLedger> thread_ledgers(const Capture& capture)
{
    std::vector<ThreadLedger> all;
    std::map<std::uint32_t, std::size_t> open;   // by tid
    const auto of = [&](const decode::Event& event) -> ThreadLedger& {
        const auto [at, is_new] = open.try_emplace(event.task.tid, all.size());
        if (is_new) {
            all.push_back({event.task.tgid, event.task.tid, {}, {}, {}, false});
        }
        return all[at->second];
    };
    for (const decode::Event& event : capture.events) {
        if (event.before_trace) {
            continue;   // the collector's: a call, and no account of its thread's time
        }
        if (const auto* slice = std::get_if<decode::Slice>(&event.body)) {
            of(event).slices.push_back({&event, slice});
        } else if (std::holds_alternative<decode::Call>(event.body) ||
                   std::holds_alternative<decode::ThreadTime>(event.body)) {
            ThreadLedger& thread = of(event);
            thread.records.push_back(&event);
            thread.sum += sum_of(event);
            if (event.kind == IPCSCOPE_THREAD_EXIT) {
                thread.exited = true;
                open.erase(event.task.tid);
            }
        }
    }
    for (ThreadLedger& thread : all) {
        std::sort(thread.slices.begin(), thread.slices.end(),
                  [](const auto& a, const auto& b) { return a->start_ns < b->start_ns; });
    }
    return all;
}

ThreadLedger ledger_of(const Capture& capture, std::uint64_t tid)
{
    std::vector<ThreadLedger> found;
    for (ThreadLedger& thread : thread_ledgers(capture)) {
        if (thread.tid == tid) {
            found.push_back(std::move(thread));
        }
    }
    EXPECT_EQ(found.size(), 1u) << "ledgers of thread " << tid;
    return found.size() == 1 ? found[0] : ThreadLedger{};
}

std::vector<Seen<decode::Slice>> slices_in(const ThreadLedger& thread, unsigned state)
{
    std::vector<Seen<decode::Slice>> found;
    for (const auto& slice : thread.slices) {
        if (slice->state == state) {
            found.push_back(slice);
        }
    }
    return found;
}

void expect_time_ledgers(const Trace& trace)
{
    std::size_t accounted = 0;
    for (const ThreadLedger& thread : thread_ledgers(trace.capture)) {
        if (thread.records.empty()) {
            ADD_FAILURE() << "slices of " << title(thread) << ", and no record of its time";
            continue;
        }
        expect_chain(thread, trace.capture);
        expect_slices(thread);
        accounted++;
    }
    EXPECT_GT(accounted, 0u);
}

}  // namespace ipcscope::conformance
