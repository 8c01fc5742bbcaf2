// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/aggregator.hpp"

#include <algorithm>
#include <utility>

#include "aggregate/loss_table.hpp"
#include "aggregate/names.hpp"
#include "aggregate/pipe_table.hpp"
#include "aggregate/pipelines.hpp"
#include "aggregate/signal_table.hpp"
#include "aggregate/stage_table.hpp"

namespace ipcscope::aggregate {

struct Aggregator::State {
    Names names;
    SignalTable signals;
    PipeTable pipes;
    StageTable stages;
    LossTable losses;
    CallRow send{"send", 0, {}};
    CallRow get{"get_signal", 0, {}};
    std::vector<correlate::KillInterval> kills;
    std::uint64_t group_exits = 0;
    std::uint64_t unknown = 0;

    void on(const decode::Event&, const decode::SignalGenerate& body)
    {
        names.note(body.target);
    }
    void on(const decode::Event& event, const decode::SignalSend& body)
    {
        call(send, event, body.enter_ns);
    }
    void on(const decode::Event& event, const decode::SignalGet& body)
    {
        call(get, event, body.enter_ns);
    }
    void on(const decode::Event& event, const decode::PipeOp& body)
    {
        pipes.call(event, body);
        stages.call(event, body);
    }
    void on(const decode::Event& event, const decode::PipeEnd& body)
    {
        pipes.end(event, body);
    }
    void on(const decode::Event&, const decode::TaskFree& body) { names.note(body.task); }
    template <typename Other>
    void on(const decode::Event&, const Other&) {}

    /// A call that never returned (a thread that ended in it) has no latency.
    static void call(CallRow& row, const decode::Event& event, std::uint64_t enter_ns)
    {
        if (event.unfinished) return;
        ++row.count;
        row.latency.add(event.time_ns - std::min(enter_ns, event.time_ns));
    }

    void add(const correlate::SignalInterval& signal) { signals.add(signal); }
    void add(const correlate::KillInterval& kill) { kills.push_back(kill); }
    void add(const correlate::Orphan& orphan)
    {
        ++(orphan.why == correlate::Orphan::Why::group_exit ? group_exits : unknown);
    }
};

Aggregator::Aggregator() : state_(std::make_unique<State>()) {}
Aggregator::~Aggregator() = default;

void Aggregator::event(const decode::Event& event)
{
    state_->losses.shown(event.kind);
    // Symbols have no context.
    if (event.kind != IPCSCOPE_SYMBOL) state_->names.note(event.task);
    std::visit([&](const auto& body) { state_->on(event, body); }, event.body);
}

void Aggregator::interval(const correlate::Interval& interval)
{
    std::visit([&](const auto& what) { state_->add(what); }, interval);
}

void Aggregator::malformed() { state_->losses.malformed(); }

Report Aggregator::finish(const source::Host& host, const source::Ledger& ledger,
                          std::uint64_t end_ns, std::uint64_t late, bool complete,
                          std::string incomplete_why)
{
    Report report;
    report.host = host;
    report.complete = complete;
    report.incomplete_why = std::move(incomplete_why);
    report.end_ns = end_ns;
    report.signals = state_->signals.rows(state_->names);
    for (const CallRow* row : {&state_->send, &state_->get})
        if (row->count > 0) report.calls.push_back(*row);
    report.pipes = state_->pipes.rows(state_->names);
    report.pipelines = find_pipelines(report.pipes, state_->stages, state_->names);
    report.kills = std::move(state_->kills);
    std::stable_sort(report.kills.begin(), report.kills.end(),
                     [](const auto& a, const auto& b) { return a.sent_ns < b.sent_ns; });
    report.orphans_group_exit = state_->group_exits;
    report.orphans_unknown = state_->unknown;
    report.loss = state_->losses.ledger(ledger, complete, late);
    return report;
}

}  // namespace ipcscope::aggregate
