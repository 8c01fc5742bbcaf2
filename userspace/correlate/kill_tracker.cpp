// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/kill_tracker.hpp"

#include <algorithm>
#include <utility>

#include "correlate/numbers.hpp"

namespace ipcscope::correlate {
namespace {

constexpr std::int32_t kLastDeath = 3;   // CLD_EXITED, CLD_KILLED, CLD_DUMPED: 1..3

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

void KillTracker::close(std::uint32_t tgid)
{
    const auto at = open_.find(tgid);
    if (at == open_.end()) return;
    emit(at->second);
    open_.erase(at);
}

void KillTracker::on(const Event&, const decode::Symbol& body)
{
    symbols_[body.record.id] = body.text;
}

void KillTracker::on(const Event& event, const decode::Kill& body)
{
    killed_[event.cpu] = {event.lost_before, event.task.tid, body.target_tgid, body.sig};
    const auto at = open_.find(body.target_tgid);
    // Once its parent was notified no thread of it sleeps: another process has the
    // number now.
    if (at != open_.end() && at->second.notified_ns == 0) {
        ++at->second.kill.repeats;
        return;
    }
    close(body.target_tgid);
    Open& open = open_[body.target_tgid];
    open.stack.assign(body.stack, body.stack + body.stack_depth);
    KillInterval& kill = open.kill;
    kill.sent_ns = event.time_ns;
    kill.signal = body.sig;
    kill.sender = event.task;
    if (!event.process.empty()) {
        kill.sender.comm = event.process;   // not that of the thread that sent it
    }
    kill.origin = static_cast<Origin>(body.origin);
    kill.target = event.target;
    kill.state = decode::state_of(body.state);
    kill.stuck_threads = body.stuck_threads;
}

/// Every further fatal send is a repeat, also one that the kernel answers with
/// "ignored" because the process is dying already.
void KillTracker::on(const Event& event, const decode::SignalGenerate& body)
{
    note_child_signal(event, body);
    const Send send{event.lost_before, event.task.tid, body.target_tgid, body.sig};
    const auto killed = killed_.extract(event.cpu);
    const bool counted = killed && killed.mapped() == send;
    if (counted || (!body.fatal && body.sig != kSigKill)) return;
    const auto at = open_.find(body.target_tgid);
    if (at != open_.end()) ++at->second.kill.repeats;
}

/// A process notifies its parent of its death from its own context.  It does so
/// too for children that die with it, before; so the last one counts, unless
/// one names the process itself (seen from another pid namespace none does).
void KillTracker::note_child_signal(const Event& event, const decode::SignalGenerate& body)
{
    if (body.sig != kSigChld || body.si_code < 1 || body.si_code > kLastDeath) return;
    const auto at = open_.find(event.task.tgid);
    if (at == open_.end() || at->second.names_itself) return;
    at->second.notified_ns = event.time_ns;
    at->second.names_itself = body.sender_pid == event.task.tgid;
}

/// A new process of that number: the free of the old one was not seen.
void KillTracker::on(const Event& event, const decode::Thread& body)
{
    if (body.reason == IPCSCOPE_THREAD_FORK && event.task.tid == event.task.tgid)
        close(event.task.tgid);
}

void KillTracker::on(const Event& event, const decode::ThreadTime& body)
{
    if (event.kind != IPCSCOPE_THREAD_EXIT || !body.group_dead) return;
    const auto at = open_.find(event.task.tgid);
    if (at != open_.end()) at->second.exited_ns = event.time_ns;
}

void KillTracker::on(const Event& event, const decode::ThreadFree&)
{
    if (event.task.tid != event.task.tgid) return;
    const auto at = open_.find(event.task.tgid);
    if (at == open_.end()) return;
    at->second.kill.reaped_ns = event.time_ns;
    close(event.task.tgid);
}

/// A process is dead once it has notified its parent; else, where that was lost or
/// never came, once its last thread is gone; else once it was freed.
void KillTracker::emit(Open& open)
{
    KillInterval& kill = open.kill;
    if (open.notified_ns != 0)
        kill.gone_ns = open.notified_ns;
    else if (open.exited_ns != 0)
        kill.gone_ns = open.exited_ns;
    else if (kill.reaped_ns)
        kill.gone_ns = kill.reaped_ns;
    if (kill.gone_ns) kill.gone_ns = std::max(*kill.gone_ns, kill.sent_ns);
    for (const auto id : open.stack) {
        const auto at = symbols_.find(id);
        kill.stack.push_back(at == symbols_.end() ? SafeText::escape("?") : at->second);
    }
    consumer_(kill);
}

}  // namespace ipcscope::correlate
