// SPDX-License-Identifier: GPL-2.0-only
#include "random_report.hpp"

#include "decode/decode.hpp"

namespace ipcscope {
namespace {

std::uint64_t number()
{
    const auto shift = *rc::gen::inRange(0, 65);
    const auto value = *rc::gen::arbitrary<std::uint64_t>();
    return shift == 64 ? 0 : value >> shift;
}

std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
bool flip() { return *rc::gen::arbitrary<bool>(); }

template <typename Make>
auto some(Make make)
{
    std::vector<decltype(make())> out(*rc::gen::inRange<std::size_t>(0, 5));
    for (auto& one : out) one = make();
    return out;
}

std::string bytes()
{
    return *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
}

std::string safe() { return SafeText::escape(bytes()).str(); }

decode::Task task()
{
    return {small(), small(), SafeText::escape(bytes().substr(0, 16))};
}

Histogram histogram()
{
    Histogram histogram;
    for (const std::uint64_t value : some(number)) histogram.add(value);
    return histogram;
}

decode::Origin origin() { return static_cast<decode::Origin>(*rc::gen::inRange(0, 3)); }

aggregate::SignalRow signal_row()
{
    aggregate::SignalRow row;
    row.signal = *rc::gen::inRange(1u, 65u);
    row.sender = task();
    row.target = task();
    row.origin = origin();
    for (auto& outcome : row.outcomes) outcome = number();
    for (auto* field : {&row.to_handler, &row.by_default, &row.accepted, &row.died,
                        &row.pending, &row.target_exited, &row.unseen, &row.flushed,
                        &row.to_unkillable, &row.first_ns, &row.last_ns})
        *field = number();
    row.latency = histogram();
    return row;
}

aggregate::PipeSide side()
{
    aggregate::PipeSide side;
    for (auto* field : {&side.count, &side.bytes, &side.blocked_ns, &side.runqueue_ns,
                        &side.uninterruptible_ns, &side.blocked_count, &side.nonblocking,
                        &side.eagain, &side.epipe, &side.eof, &side.interrupted, &side.errors,
                        &side.unfinished})
        *field = number();
    side.latency = histogram();
    return side;
}

aggregate::PipeEndRow pipe_end() { return {task(), number(), number(), number(), flip()}; }

aggregate::PipeRow pipe()
{
    aggregate::PipeRow row;
    row.fifo = flip();
    row.inode = number();
    row.dev = small();
    row.path = safe();
    row.ring_slots = small();
    for (auto* field : {&row.first_ns, &row.last_ns, &row.full_ns, &row.empty_ns})
        *field = number();
    row.reads = side();
    row.writes = side();
    for (auto& calls : row.occupancy) calls = number();
    row.readers = some(pipe_end);
    row.writers = some(pipe_end);
    return row;
}

aggregate::StageRow stage()
{
    return {task(), some(number), some(number), number(), number(), number(), number(),
            small()};
}

aggregate::Pipeline pipeline()
{
    aggregate::Pipeline pipeline;
    pipeline.stages = some(stage);
    if (flip()) pipeline.bottleneck = *rc::gen::inRange<std::size_t>(0, 6);
    return pipeline;
}

correlate::KillInterval kill()
{
    correlate::KillInterval kill;
    kill.sent_ns = number();
    kill.signal = *rc::gen::inRange(1u, 65u);
    kill.sender = task();
    kill.origin = origin();
    kill.target = task();
    kill.state = static_cast<decode::State>(*rc::gen::inRange(0, 11));
    kill.stuck_threads = small();
    kill.stack = some(safe);
    kill.repeats = small();
    // gone - sent is computed by the interval itself: it must not go backwards.
    if (flip()) kill.gone_ns = kill.sent_ns | number();
    if (flip()) kill.reaped_ns = number();
    kill.trace_end_ns = number();
    return kill;
}

std::string kind()
{
    return std::string(decode::kind_name(*rc::gen::inRange(1u, 11u)));
}
std::string cause()
{
    return std::string(decode::loss_name(*rc::gen::inRange(0u, unsigned{IPCSCOPE_LOST_COUNT})));
}

aggregate::LossLedger ledger()
{
    aggregate::LossLedger loss;
    for (auto* field : {&loss.generated, &loss.shown, &loss.filtered, &loss.malformed,
                        &loss.late})
        *field = number();
    loss.lost = some([] { return aggregate::LossRow{cause(), number()}; });
    loss.by_cpu = some([] { return aggregate::CpuLoss{small(), cause(), kind(), number()}; });
    for (const std::string& name : some(kind))
        loss.kinds[name] = {number(), number(), number(), number()};
    loss.exact = flip();
    return loss;
}

source::Host host()
{
    source::Host host;
    for (auto* field : {&host.kernel, &host.version, &host.machine, &host.hostname,
                        &host.backend, &host.tool_version})
        *field = bytes();
    host.cpus = small();
    host.command = some(bytes);
    host.filters = some(bytes);
    host.hooks = some(bytes);
    host.start_ns = number();
    host.realtime_offset_ns = static_cast<std::int64_t>(number());
    return host;
}

}  // namespace

rc::Gen<aggregate::Report> any_report()
{
    return rc::gen::exec([] {
        aggregate::Report report;
        report.host = host();
        report.complete = flip();
        report.incomplete_why = bytes();
        report.end_ns = number();
        report.signals = some(signal_row);
        report.calls = some([] { return aggregate::CallRow{bytes(), number(), histogram()}; });
        report.pipes = some(pipe);
        report.pipelines = some(pipeline);
        report.kills = some(kill);
        report.orphans_group_exit = number();
        report.orphans_unknown = number();
        report.loss = ledger();
        return report;
    });
}

}  // namespace ipcscope
