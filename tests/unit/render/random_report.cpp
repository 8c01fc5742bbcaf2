// SPDX-License-Identifier: GPL-2.0-only
#include "random_report.hpp"

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

SafeText safe() { return SafeText::escape(bytes()); }

decode::Task task()
{
    return {small(), small(), Comm(bytes().substr(0, 16))};
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
    for (auto& end : row.ends) end = number();
    for (auto& held : row.held) held = number();
    for (auto* field : {&row.to_unkillable, &row.requeued, &row.first_ns, &row.last_ns})
        *field = number();
    row.latency = histogram();
    return row;
}

aggregate::ChannelSide side()
{
    aggregate::ChannelSide side;
    for (auto* field : {&side.count, &side.bytes, &side.blocked_ns, &side.polled_ns,
                        &side.runnable_ns, &side.uninterruptible_ns, &side.blocked_count,
                        &side.nonblocking, &side.eagain, &side.epipe, &side.eof,
                        &side.interrupted, &side.timeouts, &side.errors, &side.unfinished})
        *field = number();
    side.traced = flip();
    side.latency = histogram();
    return side;
}

aggregate::ChannelEnd pipe_end()
{
    return {task(), number(), number(), number(), number(), flip(), flip()};
}

aggregate::Time time()
{
    aggregate::Time time;
    time.span_ns = number();
    for (auto& part : time.parts_ns) part = number();
    return time;
}

aggregate::ObjectId pipe_id()
{
    return aggregate::object_id(decode::ObjectType::pipe, 13, small());
}

aggregate::ChannelRow pipe()
{
    aggregate::ChannelRow row;
    row.type = flip() ? decode::ObjectType::fifo : decode::ObjectType::pipe;
    row.object = aggregate::object_id(row.type, small(), number());
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

aggregate::SocketEnd socket_end()
{
    return {flip() ? number() : 0, safe(), some(task)};
}

aggregate::SocketRow socket()
{
    aggregate::SocketRow row;
    row.type = flip() ? decode::ObjectType::unix_stream : decode::ObjectType::unix_dgram;
    row.from = socket_end();
    row.to = socket_end();
    row.sender = task();
    row.receiver = task();
    for (auto* field : {&row.sends, &row.bytes, &row.unmatched, &row.concurrent,
                        &row.fds_not_received})
        *field = number();
    for (auto* of : {&row.latency, &row.queued, &row.woken}) *of = histogram();
    row.passes =
        some([] { return aggregate::FdPass{task(), task(), number(), number(), number()}; });
    return row;
}

aggregate::OpRow operation()
{
    aggregate::OpRow op;
    op.op = flip() ? decode::Op::send : decode::Op::read;
    for (auto* field : {&op.count, &op.bytes, &op.blocked_ns, &op.peeks, &op.epipe})
        *field = number();
    op.latency = histogram();
    return op;
}

aggregate::ObjectRow object()
{
    aggregate::ObjectRow row;
    row.type = flip() ? decode::ObjectType::unix_stream : decode::ObjectType::eventfd;
    for (auto* field : {&row.object, &row.first_ns, &row.last_ns}) *field = number();
    row.dev = small();
    row.ops = some(operation);
    row.ops.push_back(operation());   // without one there would be no row
    row.users = some([] { return aggregate::ObjectUser{task(), number(), number()}; });
    row.socket = socket_end();
    row.peer = socket_end();
    return row;
}

aggregate::StageRow stage()
{
    return {task(), some(number), some(number), number(), number(), number(), number(),
            small(), time()};
}

aggregate::Pipeline pipeline()
{
    aggregate::Pipeline pipeline;
    pipeline.stages = some(stage);
    return pipeline;
}

aggregate::WaitRow wait()
{
    aggregate::WaitRow row;
    row.channel = pipe_id();
    row.output = flip();
    row.waiter = task();
    row.waker = task();
    for (auto* field : {&row.count, &row.total_ns, &row.polled_ns, &row.unfinished_ns,
                        &row.longest_ns})
        *field = number();
    return row;
}

aggregate::LongWait long_wait()
{
    aggregate::LongWait row;
    row.channel = pipe_id();
    row.output = flip();
    row.waiter = task();
    row.process = task();
    row.waker = task();
    row.start_ns = number();
    row.end_ns = number();
    row.ended = static_cast<aggregate::LongWait::Ended>(*rc::gen::inRange(0, 5));
    return row;
}

aggregate::StopRow stop()
{
    aggregate::StopRow row;
    row.process = task();
    row.state = decode::State::stopped;
    row.start_ns = number();
    row.end_ns = number();
    row.unfinished = flip();
    if (flip()) row.stopped_by = aggregate::StopRow::By{19, task(), origin(), small(), number()};
    if (flip()) row.continued_by = aggregate::StopRow::By{18, task(), origin(), small(), number()};
    return row;
}

aggregate::ProcessRow::Sleep sleep()
{
    return {static_cast<std::uint16_t>(small()), number()};
}

aggregate::LifeRow life()
{
    return {task(),   small(),        number(), number(), task().comm,
            number(), static_cast<std::int32_t>(number())};
}

correlate::KillInterval kill()
{
    correlate::KillInterval kill;
    kill.sent_ns = number();
    kill.signal = *rc::gen::inRange(1u, 65u);
    kill.sender = task();
    kill.origin = origin();
    kill.target = task();
    kill.state = static_cast<decode::State>(*rc::gen::inRange(0, int{IPCSCOPE_STATE_COUNT}));
    kill.stuck_threads = small();
    kill.stack = some(safe);
    kill.repeats = small();
    // gone - sent is computed by the interval itself: it must not go backwards.
    if (flip()) kill.gone_ns = kill.sent_ns | number();
    if (flip()) kill.reaped_ns = number();
    kill.trace_end_ns = number();
    return kill;
}

aggregate::LossLedger ledger()
{
    aggregate::LossLedger loss;
    for (auto* field : {&loss.generated, &loss.shown, &loss.filtered, &loss.malformed,
                        &loss.late})
        *field = number();
    for (auto& lost : loss.lost) lost = number();
    loss.by_cpu = some([] {
        return aggregate::CpuLoss{small(), *rc::gen::inRange(0u, unsigned{IPCSCOPE_LOST_COUNT}),
                                  *rc::gen::inRange(1u, unsigned{IPCSCOPE_KIND_COUNT}),
                                  number()};
    });
    for (auto& kind : loss.kinds) kind = {number(), number(), number(), number()};
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
        report.has_handlers = flip();
        report.handlers = some([] {
            aggregate::HandlerRow row;
            row.task = task();
            row.signal = *rc::gen::inRange(1u, 65u);
            row.time = histogram();
            row.left = small();
            row.cut = small();
            row.running = small();
            row.depth = small();
            row.longest_ns = number();
            return row;
        });
        report.calls = some([] {
            return aggregate::CallRow{static_cast<aggregate::KernelFunction>(flip()), number(),
                                      histogram()};
        });
        report.channels = some(pipe);
        report.objects = some(object);
        report.sockets = some(socket);
        report.pipelines = some(pipeline);
        report.processes =
            some([] { return aggregate::ProcessRow{task(), number(), time(), some(sleep)}; });
        report.kills = some(kill);
        report.waits = some(wait);
        report.long_waits = some(long_wait);
        report.actors =
            some([] { return aggregate::ActorRow{task(), number(), number(), number()}; });
        report.stops = some(stop);
        report.lives = some(life);
        report.restricted = flip();
        report.evicted = {number(), number(), number(), number(), number()};
        report.orphans_group_exit = number();
        report.orphans_unknown = number();
        report.loss = ledger();
        return report;
    });
}

}  // namespace ipcscope
