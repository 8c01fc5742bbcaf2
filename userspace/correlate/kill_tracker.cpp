// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/kill_tracker.hpp"

#include <algorithm>
#include <utility>

#include "correlate/numbers.hpp"

namespace ipcscope::correlate {
namespace {

constexpr std::int32_t kLastDeath = 3;   // CLD_EXITED, CLD_KILLED, CLD_DUMPED: 1..3

/// The two records of one send are made by one hook, but finding the stuck
/// threads and their stack takes its time under emulation.
constexpr std::uint64_t kSameSend_ns = 50'000'000;

}  // namespace

void KillTracker::event(const Event& event)
{
    std::visit([&](const auto& body) { on(event, body); }, event.body);
}

void KillTracker::finish(std::uint64_t end_ns)
{
    for (auto& [tgid, open] : open_) {
        open.kill.trace_end_ns = end_ns;
        emit(open);
    }
    open_.clear();
}

void KillTracker::on(const Event&, const decode::Symbol& body)
{
    symbols_[body.id] = body.text.str();
}

std::vector<std::string> KillTracker::names(const std::vector<std::uint64_t>& stack) const
{
    std::vector<std::string> out;
    for (const auto id : stack) {
        const auto at = symbols_.find(id);
        out.push_back(at == symbols_.end() ? "?" : at->second);
    }
    return out;
}

/// Whether the record before this one on that CPU is the other half of the
/// same send: then the send has been counted.
bool KillTracker::second_half(const Event& event, const Send& send)
{
    Send& last = last_[event.cpu];
    const bool same = last.is_kill != send.is_kill && last.target == send.target &&
                      last.sender == send.sender && last.signal == send.signal &&
                      last.time_ns != 0 && last.time_ns <= send.time_ns &&
                      send.time_ns - last.time_ns <= kSameSend_ns;
    last = same ? Send{} : send;
    return same;
}

void KillTracker::on(const Event& event, const decode::Kill& body)
{
    const bool counted = second_half(event, {event.time_ns, event.task.tid,
                                             body.target.tgid, body.signal, true});
    auto at = open_.find(body.target.tgid);
    // Whose parent has been told has no thread that sleeps: another process
    // bears the number now.
    if (at != open_.end() && at->second.told_ns != 0) {
        emit(at->second);
        open_.erase(at);
        at = open_.end();
    }
    if (at != open_.end()) {
        if (!counted) ++at->second.kill.repeats;
        return;
    }
    KillInterval& kill = open_[body.target.tgid].kill;
    kill.sent_ns = event.time_ns;
    kill.signal = body.signal;
    kill.sender = event.task;
    kill.origin = body.origin;
    kill.target = body.target;
    kill.state = body.state;
    kill.stuck_threads = body.stuck_threads;
    kill.stack = names(body.stack);
}

/// Every further fatal send is a repeat, also one that the kernel answers with
/// "ignored" because the process is dying already.
void KillTracker::on(const Event& event, const decode::SignalGenerate& body)
{
    note_child_signal(event, body);
    if (!body.fatal && body.signal != kSigKill) {
        last_.erase(event.cpu);
        return;
    }
    const bool counted = second_half(event, {event.time_ns, event.task.tid,
                                             body.target.tgid, body.signal, false});
    const auto at = open_.find(body.target.tgid);
    if (at == open_.end() || counted) return;
    ++at->second.kill.repeats;
}

/// A process tells its parent of its death from its own context.  It does so
/// too for children that die with it, before; so the last one counts, unless
/// one names the process itself (seen from another pid namespace none does).
void KillTracker::note_child_signal(const Event& event, const decode::SignalGenerate& body)
{
    if (body.signal != kSigChld || body.si_code < 1 || body.si_code > kLastDeath) return;
    const auto at = open_.find(event.task.tgid);
    if (at == open_.end() || at->second.told_for_certain) return;
    at->second.told_ns = event.time_ns;
    at->second.told_for_certain = body.sender_pid == event.task.tgid;
}

void KillTracker::on(const Event& event, const decode::TaskExit& body)
{
    const auto at = open_.find(event.task.tgid);
    if (at != open_.end() && body.group_dead) at->second.exited_ns = event.time_ns;
}

void KillTracker::on(const Event& event, const decode::TaskFree& body)
{
    if (body.task.tid != body.task.tgid) return;
    const auto at = open_.find(body.task.tgid);
    if (at == open_.end()) return;
    at->second.kill.reaped_ns = event.time_ns;
    emit(at->second);
    open_.erase(at);
}

/// Dead is who has told the parent; else who was freed; else, where both were
/// lost or never came, whose last thread exited.
void KillTracker::emit(Open& open)
{
    KillInterval& kill = open.kill;
    if (open.told_ns != 0)
        kill.gone_ns = open.told_ns;
    else if (kill.reaped_ns)
        kill.gone_ns = kill.reaped_ns;
    else if (open.exited_ns != 0)
        kill.gone_ns = open.exited_ns;
    if (kill.gone_ns) kill.gone_ns = std::max(*kill.gone_ns, kill.sent_ns);
    consumer_(kill);
}

}  // namespace ipcscope::correlate
