// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/aggregator.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "aggregate/connects.hpp"
#include "aggregate/coverage.hpp"
#include "aggregate/death_table.hpp"
#include "aggregate/handler_table.hpp"
#include "aggregate/kernel_calls.hpp"
#include "aggregate/kill_table.hpp"
#include "aggregate/lineage_table.hpp"
#include "aggregate/lives.hpp"
#include "aggregate/loss_table.hpp"
#include "aggregate/mask_table.hpp"
#include "aggregate/object_table.hpp"
#include "aggregate/channel_table.hpp"
#include "aggregate/pipelines.hpp"
#include "aggregate/priority_table.hpp"
#include "aggregate/process_table.hpp"
#include "aggregate/signal_table.hpp"
#include "aggregate/sleeps.hpp"
#include "aggregate/socket_table.hpp"
#include "aggregate/stage_table.hpp"
#include "aggregate/stops.hpp"
#include "aggregate/time_ledger.hpp"
#include "aggregate/waits.hpp"
#include "base/collector.hpp"

namespace ipcscope::aggregate {
namespace {

constexpr std::size_t kMostBefore = 4096;

/// What the collector adds is beside the ledger.
bool of_collector(const decode::Event& event)
{
    const auto* thread = std::get_if<decode::Thread>(&event.body);
    return event.cpu == kCollectorCpu ||
           (thread != nullptr && thread->reason == IPCSCOPE_THREAD_SWEEP);
}

}  // namespace

struct Aggregator::State {
    source::Host host;
    Coverage coverage;
    TimeLedger times;
    StayTable stays;
    MaskTable masks;
    HandlerTable handlers;
    DeathTable deaths{stays, masks};
    LineageTable lineages;
    SignalTable signals{stays, masks};
    KernelCalls calls;
    ChannelTable channels;
    ObjectTable objects;
    SocketTable sockets;
    PriorityTable priorities;
    StageTable stages;
    ProcessTable processes;
    KillTable kills;
    StopTable stops;
    LifeTable lives;
    SleepTable sleeps;
    WaitTable waits;
    Connects connects;
    LossTable losses;
    std::unordered_map<std::uint32_t, decode::Event> before;   ///< calls, by thread
    std::uint64_t group_exits = 0;
    std::uint64_t unknown = 0;

    void on(const decode::Event& event, const decode::SignalGenerate& body)
    {
        calls.generate(event, body);
        stops.generate(event, body);
        stays.signal(event, body);
        masks.on(event, body);
        deaths.on(event, body);
        lineages.on(event, body);
    }
    void on(const decode::Event& event, const decode::SignalTake& body)
    {
        calls.take(event, body);
        masks.on(event, body);
        if (masks.traced()) handlers.take(event, body);
        deaths.on(event, body);
    }
    void on(const decode::Event& event, const decode::SignalHandler& body)
    {
        masks.on(event, body);
        handlers.run(event, body);
        deaths.on(event, body);
    }
    void on(const decode::Event& event, const decode::SignalMask& body)
    {
        masks.on(event, body);
    }
    /// The collector has put it into the PROCESS record of the sender, if that has ended.
    void on(const decode::Event&, const decode::Command&) {}
    void on(const decode::Event& event, const decode::FdReceived& body)
    {
        sockets.received(event, body);
    }
    void on(const decode::Event& event, const decode::Kill& body) { deaths.on(event, body); }
    void on(const decode::Event& event, const decode::Thread& body)
    {
        lives.thread(event, body);
        waits.thread(event, body);
        masks.on(event, body);
        if (body.reason == IPCSCOPE_THREAD_EXEC) handlers.cut(event.task.tid);
        deaths.on(event, body);
        lineages.on(event, body);
    }
    void on(const decode::Event& event, const decode::ThreadTime& body)
    {
        deaths.on(event, body);
        lineages.on(event, body);
        end_before(event);
        const TimeLedger::Entry entry = times.time(event, body);
        processes.add(event, entry);
        stages.time(event, body, entry);
        lives.time(event, body);
        waits.time(event);
        if (event.kind == IPCSCOPE_THREAD_EXIT) {
            times.forget(event.task.tid);
            masks.forget(event.task.tid);
            handlers.cut(event.task.tid);
        }
    }
    /// The thread's record as the trace ends, in no call that the backend saw begin: one
    /// that it has slept in since before the trace, without a wake-up, it is in still.
    void end_before(const decode::Event& event)
    {
        auto found = before.extract(event.task.tid);
        if (!found || !event.unfinished) return;
        decode::Event& call = found.mapped();
        auto& body = std::get<decode::Call>(call.body);
        call.time_ns = std::max(event.time_ns, call.time_ns);
        call.task.comm = event.task.comm;
        call.process = event.process;
        body.blocked_ns = call.time_ns - std::min<std::uint64_t>(body.enter_ns, call.time_ns);
        if (const auto use = channel_use(body)) use_channel(call, body, *use, {});
    }
    void on(const decode::Event& event, const decode::ThreadFree& body)
    {
        times.forget(event.task.tid);
        deaths.on(event, body);
        lineages.on(event, body);
        if (event.task.tid == event.task.tgid) stays.forget(event.task.tgid);
    }
    void on(const decode::Event& event, const decode::Slice& body)
    {
        if (!event.unfinished) before.erase(event.task.tid);   // it ran: in what, is not known
        times.slice(event, body);
        stops.slice(event, body);
        sleeps.slice(event, body);
        processes.slice(event, body);
        waits.slice(event, body);
        stays.slice(event, body);
        deaths.on(event, body);
    }
    /// A socket that is closed is the peer of none any more, as the send to it fails; 0: it is
    /// none, or it is not known what it was.
    std::uint64_t gone_peer(const decode::Event& event, const decode::Call& call) const
    {
        return event.kind == IPCSCOPE_CALL_UNIX && call.ret == -EPIPE && call.peer == 0
                   ? sockets.peer(call.object) : 0;
    }
    void on(const decode::Event& event, const decode::Call& body)
    {
        if (event.before_trace) {
            if (before.size() < kMostBefore) before.insert_or_assign(event.task.tid, event);
            return;   // its time is that of the thread's own records
        }
        if (const std::uint64_t peer = gone_peer(event, body); peer != 0) {
            decode::Event known = event;
            auto& call = std::get<decode::Call>(known.body);
            call.peer = peer;
            return on(known, call);
        }
        if (!before.empty()) before.erase(event.task.tid);
        deaths.on(event, body);
        const TimeLedger::Entry entry = times.call(event, body);
        processes.add(event, entry);
        if (event.kind != IPCSCOPE_CALL_PIPE && event.kind != IPCSCOPE_CALL_SPLICE) {
            objects.call(event, body);
        }
        if (event.kind == IPCSCOPE_CALL_UNIX) sockets.call(event, body);
        if (event.kind == IPCSCOPE_CALL_MQUEUE) priorities.call(event, body);
        if (const auto open = channel_open(body)) {
            channels.open(event, body, *open);
            stages.call(event, body, &*open, entry);
            waits.open(event, body, *open);
            return;
        }
        if (decode::op_of(body) == decode::Op::connect) {
            connect(event, body, entry);
            return;
        }
        const auto use = channel_use(body);
        if (!use) {
            // A stage that splices waits for a socket, which is no channel of it.
            if (event.kind == IPCSCOPE_CALL_SPLICE) {
                stages.call(event, body, nullptr, entry);
            } else {
                stages.other_call(event, entry);
            }
            waits.time(event);   // its sleeps are no channel's
            return;
        }
        use_channel(event, body, *use, entry);
        if (channel_kind(decode::type_of(body)).flows) {
            stages.call(event, body, &*use, entry);
        } else {
            stages.other_call(event, entry);
        }
        if (decode::op_of(body) == decode::Op::accept) connected(connects.accept(event, body));
    }
    /// Of one that did not wait there is nothing to know.
    void connect(const decode::Event& event, const decode::Call& call,
                 const TimeLedger::Entry& entry)
    {
        waits.connect(event, call);
        if (call.blocked_ns == 0) {
            stages.other_call(event, entry);
            return;
        }
        const ObjectId end = object_of(call);
        const ChannelUse use{end, end, end, true};
        stages.call(event, call, &use, entry);
        connected(connects.connect(event, call));
    }
    void connected(const std::vector<decode::Event>& known)
    {
        for (const decode::Event& event : known) {
            const auto& call = std::get<decode::Call>(event.body);
            const auto use = channel_use(call);
            channels.call(event, call, *use, {});
            waits.connected(event, call, *use);
        }
    }
    void use_channel(const decode::Event& event, const decode::Call& call,
                     const ChannelUse& use, const TimeLedger::Entry& entry)
    {
        channels.call(event, call, use, entry);
        waits.call(event, call, use, entry);
    }
    void on(const decode::Event& event, const decode::Symbol& body) { deaths.on(event, body); }
    void on(const decode::Event& event, const decode::Holder& body)
    {
        channels.holder(event, body);
        if (body.record.type == IPCSCOPE_OBJECT_MQUEUE ||
            body.record.type == IPCSCOPE_OBJECT_FUTEX) objects.holder(body);
        if (decode::is_unix(static_cast<decode::ObjectType>(body.record.type)))
            sockets.holder(event, body);
    }
    void on(const decode::Event& event, const decode::Observed& body) { deaths.on(event, body); }
    void on(const decode::Event& event, const decode::Process& body) { lineages.on(event, body); }
    void on(const decode::Event&, const decode::User& body) { lineages.on(body); }
    void on(const decode::Event&, const decode::Cgroup& body) { lineages.on(body); }

    Report report(const Frame& frame, std::vector<ChannelRow> channel_rows) const;

    void add(const correlate::SignalInterval& signal) { signals.add(signal); }
    void add(const correlate::KillInterval& kill) { kills.add(kill); }
    void add(const correlate::Orphan& orphan)
    {
        ++(orphan.why == correlate::Orphan::Why::group_exit ? group_exits : unknown);
    }
};

Aggregator::Aggregator() : state_(std::make_unique<State>()) {}
Aggregator::~Aggregator() = default;

void Aggregator::host(const source::Host& host)
{
    state_->host = host;
    state_->coverage.host(host);
    state_->sleeps.host(host);
    state_->masks.host(host);
}

void Aggregator::event(const decode::Event& event)
{
    if (!of_collector(event)) state_->losses.shown(event.kind);
    state_->coverage.note(event);
    std::visit([&](const auto& body) { state_->on(event, body); }, event.body);
}

void Aggregator::interval(const correlate::Interval& interval)
{
    std::visit([&](const auto& what) { state_->add(what); }, interval);
}

void Aggregator::malformed() { state_->losses.malformed(); }

bool Aggregator::covers(std::uint32_t tgid) const { return state_->coverage.covers(tgid); }

Report Aggregator::State::report(const Frame& frame, std::vector<ChannelRow> channel_rows) const
{
    Report report;
    report.host = host;
    report.restricted = coverage.restricted();
    report.complete = frame.complete;
    report.incomplete_why = frame.incomplete_why;
    report.end_ns = frame.end_ns;
    report.signals = signals.rows(coverage);
    report.has_handlers = masks.traced();
    report.handlers = handlers.rows();
    report.calls = calls.rows();
    report.channels = std::move(channel_rows);
    report.objects = objects.rows();
    sockets.describe(report.objects);
    priorities.describe(report.objects, frame.end_ns);
    report.sockets = sockets.rows();
    report.lives = lives.rows();
    report.pipelines = find_pipelines(report.channels, report.lives, stages);
    report.processes = processes.rows();
    report.kills = kills.rows();
    report.waits = waits.rows();
    report.long_waits = waits.long_waits();
    report.actors = waits.actors();
    report.stops = stops.rows();
    report.sleeps = sleeps.rows();
    report.stuck = sleeps.stuck();
    report.deaths = deaths.rows(coverage, frame.end_ns);
    report.lineages = lineages.rows();
    report.unreaped = deaths.unreaped(coverage, frame.end_ns);
    report.orphans_group_exit = group_exits;
    report.orphans_unknown = unknown;
    report.evicted = {signals.evicted(), channels.evicted(),
                      channels.ends_evicted(), processes.evicted(),
                      kills.evicted(), objects.evicted(), sockets.evicted(),
                      stops.evicted(), lives.evicted(),
                      waits.evicted() + sleeps.evicted(),
                      deaths.evicted(), handlers.evicted()};
    report.loss = losses.ledger(frame.ledger, frame.complete, frame.late);
    return report;
}

Report Aggregator::snapshot(const Frame& frame) const
{
    return state_->report(frame, state_->channels.rows(state_->coverage));
}

Report Aggregator::finish(const Frame& frame)
{
    return state_->report(frame, state_->channels.take_rows(state_->coverage));
}

}  // namespace ipcscope::aggregate
