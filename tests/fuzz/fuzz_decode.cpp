// SPDX-License-Identifier: GPL-2.0-only
// Any bytes: an event or a malformation, what was decoded is in range, and matching
// accounts for each of them.
#include <cstdlib>

#include "correlate/correlator.hpp"
#include "decode/decode.hpp"
#include "decode/merge.hpp"
#include "decode/thread_table.hpp"
#include "decode/time.hpp"

using namespace ipcscope;
using namespace ipcscope::decode;

namespace {

void require(bool condition)
{
    if (!condition) std::abort();
}

void require_sum(const Between& time)
{
    require(time.running_ns + time.runnable_ns + time.sleeping_ns + time.polling_ns +
                time.uninterruptible_ns + time.killable_ns + time.other_ns ==
            time.span_ns);
}

void check(const Event&, const SignalGenerate& body)
{
    require(body.sig >= 1 && body.sig <= 64 && body.result < IPCSCOPE_RESULT_COUNT);
}
void check(const Event&, const SignalTake& body)
{
    require(body.sig >= 1 && body.sig <= 64 && body.group_signal <= 64);
    require(body.how < IPCSCOPE_TAKE_COUNT);
}
void check(const Event&, const SignalHandler& body) { require(body.sig >= 1 && body.sig <= 64); }
void check(const Event&, const SignalMask&) {}
void check(const Event&, const Command&) {}
void check(const Event&, const Kill& body) { require(body.stack_depth <= IPCSCOPE_STACK_DEPTH); }
void check(const Event&, const Thread& body)
{
    require(body.reason < IPCSCOPE_THREAD_REASON_COUNT);
}
void check(const Event& event, const ThreadTime& body) { require_sum(between(event, body)); }
void check(const Event&, const ThreadFree&) {}
void check(const Event&, const Slice& body) { require(body.state < IPCSCOPE_STATE_COUNT); }
void check(const Event& event, const Call& body)
{
    require(body.type < IPCSCOPE_OBJECT_COUNT && body.op < IPCSCOPE_OP_COUNT);
    require_sum(between(body));
    const Inside time = inside(event, body);
    require(time.running_ns + time.runnable_ns + time.blocked_ns + time.uninterruptible_ns ==
            time.span_ns);
}
void check(const Event&, const Symbol&) {}
void check(const Event&, const Holder& body)
{
    require(body.record.type < IPCSCOPE_OBJECT_COUNT);
}
void check(const Event&, const Observed& body)
{
    require(body.record.stack_depth <= IPCSCOPE_STACK_DEPTH);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    // The first two bytes choose the ring.
    if (size < 2) return 0;
    const unsigned cpu = data[0] | unsigned{data[1]} << 8;
    auto rest = std::as_bytes(std::span{data, size}).subspan(2);

    std::uint64_t added = 0;
    std::uint64_t sends = 0;
    ThreadTable threads;
    correlate::Correlator correlator{[&](const correlate::Interval& interval) {
        if (std::holds_alternative<correlate::SignalInterval>(interval)) --sends;
    }};
    Merger merger{[&](Event event) {
        --added;
        threads.stamp(event);
        correlator.event(event);
    }};
    while (const std::size_t record = record_size(rest)) {
        auto decoded = decode::decode(cpu, rest);
        if (decoded) {
            const Event& event = decoded->event;
            require(decoded->size == record);
            require(kind_name(event.kind) != "unknown");
            std::visit([&](const auto& body) { check(event, body); }, event.body);
            sends += event.kind == IPCSCOPE_SIGNAL_GENERATE;
            ++added;
            merger.add(std::move(decoded->event));
        } else {
            require(describe(decoded.error()) != "unknown");
        }
        rest = rest.subspan(record);
    }
    require(!decode::decode(cpu, rest));
    merger.watermark(UINT64_MAX / 2);
    merger.flush();
    correlator.finish(UINT64_MAX);
    require(added == 0 && sends == 0);
    return 0;
}
