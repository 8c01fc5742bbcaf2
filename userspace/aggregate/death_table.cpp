// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/death_table.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <ipcscope/policy.h>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {
namespace {

using decode::Outcome;

constexpr std::size_t kMostSends = 16;
constexpr std::size_t kMostTakings = 16;
constexpr std::size_t kMostLooks = 256;      ///< threads, of all looks
constexpr std::size_t kMostChildren = 3;
constexpr std::uint64_t kWorthALook_ns = 10'000'000;   ///< most processes end at once
constexpr std::uint64_t kMostHandling_ns = 1'000'000'000;   ///< of a fault
constexpr std::uint64_t kMostFreeDelay_ns = 1'000'000'000;   ///< an RCU grace period
constexpr unsigned kSigterm = 15;
constexpr std::int32_t kLastDeath = 3;       ///< CLD_EXITED, CLD_KILLED, CLD_DUMPED: 1..3

bool should_end(const decode::SignalGenerate& body)
{
    const std::uint64_t bit = IPCSCOPE_SIG_BIT(body.sig);
    if ((bit & (IPCSCOPE_DEFAULT_IGNORED | IPCSCOPE_STOP_SIGNALS)) != 0) {
        return false;
    }
    const bool to_zombie = decode::state_of(body.target_state) == decode::State::zombie;
    return (bit & IPCSCOPE_ASK_TO_END) != 0 || body.fatal != 0 || to_zombie;
}

/// Of what the process took by itself, as daemons take SIGHUP, and a JVM SIGQUIT, nothing follows.
bool is_message(const Death& death, const DeathSend& send)
{
    const DeathTaking* taking = death.taking_of(send);
    return !send.fatal && send.signal != kSigterm && taking != nullptr && takes_itself(taking->how);
}

/// Forgets the oldest message; for what ends the process, where there is none, the newest send
/// that did not.  @return whether there is room
bool make_room(Death& death, bool fatal)
{
    if (death.sends.size() < kMostSends) {
        return true;
    }
    auto found = std::ranges::find_if(
        death.sends, [&](const DeathSend& send) { return is_message(death, send); });
    if (found == death.sends.end() && fatal) {
        const auto newest = std::ranges::find_if_not(death.sends.rbegin(), death.sends.rend(),
                                                     &DeathSend::fatal);
        if (newest != death.sends.rend()) {
            found = std::next(newest).base();
            death.other_sends += found->count;
        }
    }
    if (found == death.sends.end()) {
        return false;
    }
    death.sends.erase(found);
    return true;
}

DeathSend first_send(const decode::Event& event, const decode::SignalGenerate& body)
{
    DeathSend send;
    send.sender = process_of(event);
    send.sender_tid = event.task.tid;
    send.named = event.task.tid == event.task.tgid || !event.process.empty();
    send.origin = decode::origin_of(body);
    send.terminal = body.terminal;
    send.signal = body.sig;
    send.first_ns = event.time_ns;
    send.target_state = decode::state_of(body.target_state);
    send.blocked = body.blocked != 0;
    send.unkillable = body.unkillable != 0;
    send.fatal = body.fatal != 0;
    send.dying = body.dying != 0;
    send.memory_limit = body.memory_limit;
    send.memory_cgroup = SafeText::name(
        {reinterpret_cast<const char*>(body.cgroup_name), sizeof body.cgroup_name});
    return send;
}

void count(DeathSend& send, const decode::Event& event, const decode::SignalGenerate& body)
{
    ++send.count;
    send.last_ns = event.time_ns;
    ++send.outcomes[body.result];
}

/// @return the send, where it is the first of its kind
DeathSend* add_send(Death& death, const decode::Event& event, const decode::SignalGenerate& body)
{
    DeathSend* made = nullptr;
    const decode::Origin origin = decode::origin_of(body);
    const Task sender = process_of(event);
    const auto same = [&](const DeathSend& send) {
        return send.signal == body.sig && send.origin == origin && send.sender == sender;
    };
    auto at = std::ranges::find_if(death.sends, same);
    if (at == death.sends.end()) {
        if (!make_room(death, body.fatal != 0)) {
            ++death.other_sends;
            return nullptr;
        }
        at = death.sends.insert(death.sends.end(), first_send(event, body));
        made = &*at;
    }
    count(*at, event, body);
    return made;
}

/// Its time from the first send to its end; what never ended took longest.
std::uint64_t lasted_ns(const Death& death)
{
    const std::uint64_t end = death.gone_ns.value_or(UINT64_MAX);
    const std::uint64_t reaped = death.reaped_ns.value_or(UINT64_MAX);
    const std::uint64_t last = std::max(end, reaped);
    return last - std::min(last, death.first_ns());
}

bool outlasts(const Death& a, const Death& b) { return lasted_ns(a) > lasted_ns(b); }

}  // namespace

const DeathTaking* Death::taking_of(const DeathSend& send) const
{
    const auto taking = std::ranges::find_if(takings, [&](const DeathTaking& one) {
        return one.signal == send.signal && one.at_ns >= send.first_ns;
    });
    return taking == takings.end() ? nullptr : &*taking;
}

Task DeathTable::task_of(std::uint32_t tgid) const
{
    const Process* process = processes_.find(tgid);
    return process != nullptr ? process->task : Task{tgid, 0, {}};
}

std::vector<SafeText> DeathTable::named(std::span<const __u64> ids, std::size_t depth) const
{
    std::vector<SafeText> stack;
    for (const __u64 id : ids.first(std::min(depth, ids.size()))) {
        const auto found = symbols_.find(id);
        stack.push_back(found == symbols_.end() ? SafeText::escape("?") : found->second);
    }
    return stack;
}

Death& DeathTable::open(const decode::Event& event, std::uint32_t tgid)
{
    Death& death = open_.use(tgid);
    if (death.target.tgid == 0) {
        const Process* process = processes_.find(tgid);
        death.target = {tgid, 0, event.target.comm};
        if (process != nullptr) {
            if (!process->task.comm.empty() && event.target.tid != tgid) {
                death.target.comm = process->task.comm;   // not that of one thread
            }
            if (process->exited_ns != 0) {
                death.gone_ns = process->exited_ns;
                death.exit_code = process->exit_code;
            }
            if (process->ppid != 0) {
                death.parent = task_of(process->ppid);
            }
        }
    }
    return death;
}

void DeathTable::on(const decode::Event& event, const decode::SignalGenerate& body)
{
    if (body.sig == IPCSCOPE_SIGCHLD && body.si_code >= 1 && body.si_code <= kLastDeath) {
        if (body.sender_pid == event.task.tgid) {
            // A process notifies its parent in its own context.
            exited(event.task.tgid, event.time_ns, 0, true);
            Process* parent = processes_.find(body.target_tgid);
            if (parent != nullptr && body.disposition == IPCSCOPE_DISPOSITION_IGNORE) {
                zombies_ -= std::erase(parent->zombies, event.task.tgid);   // the kernel reaps it
            }
        } else if (Process* child = processes_.find(body.sender_pid);
                   child != nullptr && child->exited_ns != 0 && child->ppid == event.task.tgid &&
                   body.target_tgid != child->ppid) {
            child->orphaned = true;   // its parent, which ends, leaves it to another
            child->unreaped_ns = event.time_ns;
        }
    }
    const DeathSend* fault = fault_before(event, body);
    if (should_end(body) || fault != nullptr) {
        senders_.use(event.task.tgid) = event.process;
        Death& death = open(event, body.target_tgid);
        if (fault != nullptr && make_room(death, true)) {
            death.sends.insert(
                std::ranges::upper_bound(death.sends, fault->first_ns, {}, &DeathSend::first_ns),
                *fault);
            faults_.erase(body.target_tgid);
        }
        DeathSend* send = add_send(death, event, body);
        if (send != nullptr) {
            send->callers = named(body.stack, body.stack_depth);
            note_mask(*send, body);
        }
    } else if (decode::origin_of(body) == decode::Origin::fault) {
        DeathSend& handled = faults_.use(body.target_tgid);
        handled = first_send(event, body);
        count(handled, event, body);
    }
}

/// A handler of a fault that restores the default, and sends the signal once more, from the same
/// thread: the process ends by that fault.  Often it is blocked until the handler returns.
const DeathSend* DeathTable::fault_before(const decode::Event& event,
                                          const decode::SignalGenerate& body) const
{
    const DeathSend* fault = faults_.find(body.target_tgid);
    const bool again = fault != nullptr && decode::origin_of(body) == decode::Origin::task &&
                       event.task.tgid == body.target_tgid && fault->signal == body.sig &&
                       fault->sender_tid == event.task.tid &&
                       event.time_ns - fault->first_ns < kMostHandling_ns;
    return again ? fault : nullptr;
}

/// Since when it is blocked, as far as the records of its birth and exec show.
void DeathTable::note_mask(DeathSend& send, const decode::SignalGenerate& body) const
{
    const Process* process = processes_.find(body.target_tgid);
    const std::uint64_t bit = IPCSCOPE_SIG_BIT(body.sig);
    if (process == nullptr || body.blocked == 0) {
        return;
    }
    send.blocking = masks_.why(body.target_tid, body.sig, send.first_ns);
    send.blocked_at_exec = (process->blocked_at_exec & bit) != 0;
    send.mask_inherited = (process->blocked_at_birth & bit) != 0 &&
                          (!process->execed || send.blocked_at_exec);
}

void DeathTable::on(const decode::Event& event, const decode::SignalTake& body)
{
    if (body.sig == IPCSCOPE_SIGCHLD && decode::how_of(body) != decode::How::ignored) {
        processes_.use(event.task.tgid).child_taken_ns = event.time_ns;
    }
    Death* death = find(event.task.tgid);
    if (death == nullptr) {
        return;
    }
    const auto sent = [&](const DeathSend& send) {
        return send.signal == body.sig || send.signal == body.group_signal;
    };
    if (!std::ranges::any_of(death->sends, sent)) {
        return;
    }
    const DeathTaking taking{body.sig, decode::how_of(body), event.task.tid, event.time_ns, 0};
    if (death->takings.size() < kMostTakings) {
        death->takings.push_back(taking);
    } else {
        death->takings.back() = taking;
    }
}

/// It returns to what it has interrupted: to an earlier taking.
void DeathTable::on(const decode::Event& event, const decode::SignalHandler& body)
{
    Death* death = body.left ? nullptr : find(event.task.tgid);
    if (death == nullptr) {
        return;
    }
    for (DeathSend& send : death->sends) {
        const bool inside = body.enter_ns <= send.first_ns && send.first_ns <= event.time_ns;
        if (send.blocked && !send.blocking && inside && event.task.tid == event.task.tgid &&
            (body.blocked_inside & IPCSCOPE_SIG_BIT(send.signal)) != 0) {
            send.blocking = Blocking{Blocking::By::handler, body.enter_ns, IPCSCOPE_SYSCALL_NONE,
                                     body.sig, event.time_ns};
        }
    }
    for (DeathTaking& taking : death->takings) {
        if (taking.tid == event.task.tid && taking.signal == body.sig &&
            taking.returned_ns == 0 && taking.how == decode::How::handler &&
            taking.at_ns <= body.enter_ns) {
            taking.returned_ns = event.time_ns;
        }
    }
}

void DeathTable::on(const decode::Event& event, const decode::Kill& body)
{
    Death& death = open(event, body.target_tgid);
    if (!death.found) {
        death.found = KillFound{event.time_ns, event.target, decode::state_of(body.state),
                                body.stuck_threads, named(body.stack, body.stack_depth)};
    }
}

void DeathTable::on(const decode::Event& event, const decode::Thread& body)
{
    const std::uint32_t tgid = event.task.tgid;
    if (event.task.tid != tgid) {
        if (Process* process = processes_.find(tgid)) {
            process->threads = true;
        }
        return;
    }
    if (body.reason == IPCSCOPE_THREAD_FORK) {
        close(tgid);   // of the last bearer of the number
        processes_.erase(tgid);
        senders_.erase(tgid);
        faults_.erase(tgid);
    }
    Process& process = processes_.use(tgid);
    if (body.reason == IPCSCOPE_THREAD_FORK) {
        process.born_ns = event.time_ns;
        process.blocked_at_birth = body.blocked;
    } else if (body.reason == IPCSCOPE_THREAD_EXEC) {
        process.blocked_at_exec = body.blocked;
        process.execed = true;
    }
    process.task = {tgid, 0, event.task.comm};
    if (Comm* sender = senders_.find(tgid)) {
        *sender = event.task.comm;
    }
    if (body.ppid != 0) {
        process.ppid = body.ppid;
    }
}

/// The exit of the last thread of a traced process, or of one that died of a signal;
/// or a thread's time as the trace ends.
void DeathTable::on(const decode::Event& event, const decode::ThreadTime& body)
{
    if (event.kind != IPCSCOPE_THREAD_EXIT) {
        if (Death* death = find(event.task.tgid)) {
            death->alive_ns = std::max(death->alive_ns, event.time_ns);
        }
        return;
    }
    if (event.task.tid == event.task.tgid) {
        processes_.use(event.task.tgid).exit_code = body.exit_code;
    }
    if (body.group_dead != 0) {
        exited(event.task.tgid, event.time_ns, body.exit_code, false);
    }
}

/// Its parent's notification is the moment; the records of its threads' ends follow it,
/// and say the exit code.
void DeathTable::exited(std::uint32_t tgid, std::uint64_t time_ns, std::int32_t code,
                        bool notified)
{
    Process& process = processes_.use(tgid);
    if (process.task.tgid == 0) {
        process.task.tgid = tgid;
    }
    if (process.exited_ns == 0) {
        Process* parent = processes_.find(process.ppid);
        if (parent != nullptr && parent->zombies.size() < Unreaped::kMost) {
            parent->zombies.push_back(tgid);
            ++zombies_;
        }
        settle_children(process, time_ns);   // init's from now on
        Death* parents = find(process.ppid);
        if (parents != nullptr && !parents->gone_ns) {
            parents->last_child = EndedChild{process.task, process.born_ns, time_ns};
        }
    }
    if (!process.notified) {
        process.exited_ns = time_ns;
        process.unreaped_ns = time_ns;
        process.notified = notified;
    }
    if (!notified && process.exit_code == 0) {
        process.exit_code = code;
    }
    Death* death = find(tgid);
    if (death == nullptr) {
        return;
    }
    death->gone_ns = process.exited_ns;
    if (!notified) {
        death->exit_code = process.exit_code;
    }
    if (process.ppid != 0) {
        death->parent = task_of(process.ppid);
    }
    finish(*death, process.exited_ns);
}

void DeathTable::on(const decode::Event& event, const decode::ThreadFree&)
{
    const std::uint32_t tgid = event.task.tgid;
    if (event.task.tid != tgid) {
        return;
    }
    if (Death* death = find(tgid)) {
        freed(*death, event.time_ns);
        finish(*death, *death->gone_ns);
        close(tgid);
    }
    if (Process* process = processes_.find(tgid)) {
        settle_children(*process, event.time_ns);
        if (Process* parent = processes_.find(process->ppid)) {
            if (std::erase(parent->zombies, tgid) != 0) {
                --zombies_;
                const std::uint64_t freed_ns = event.time_ns - std::min(event.time_ns, kMostFreeDelay_ns);
                left(*parent, tgid, std::max(freed_ns, process->unreaped_ns),
                     unreaped_.use(process->ppid));
            }
        }
    }
    processes_.erase(tgid);
}

/// What its parent did, and what was seen of it, show until when it was not reaped: it is freed
/// an RCU grace period after that.
void DeathTable::freed(Death& death, std::uint64_t time_ns)
{
    death.reaped_ns = time_ns;
    if (!death.gone_ns) {
        death.gone_ns = time_ns;
    }
    death.unreaped_ns = std::max(*death.gone_ns, time_ns - std::min(time_ns, kMostFreeDelay_ns));
    if (const Process* process = processes_.find(death.target.tgid)) {
        death.unreaped_ns = std::max(death.unreaped_ns, process->unreaped_ns);
        death.orphaned = process->orphaned;
    }
    for (const DeathSend& send : death.sends) {
        if (send.target_state == decode::State::zombie) {
            death.unreaped_ns = std::max(death.unreaped_ns, send.last_ns);
        }
    }
    for (const ThreadLook& look : death.looks) {
        if (look.state == decode::State::zombie && look.thread.tid == death.target.tgid) {
            death.unreaped_ns = std::max(death.unreaped_ns, look.at_ns);
        }
    }
}

void DeathTable::on(const decode::Event& event, const decode::Slice& body)
{
    if (decode::state_of(body.state) != decode::State::running) {
        idle(event, body.start_ns, body.end_ns);
    }
}

void DeathTable::on(const decode::Event& event, const decode::Call& body)
{
    idle(event, body.enter_ns, event.time_ns);
}

/// A process whose only thread slept, or was in a call, has reaped nothing meanwhile.
void DeathTable::idle(const decode::Event& event, std::uint64_t start_ns, std::uint64_t end_ns)
{
    if (zombies_ == 0 || event.task.tid != event.task.tgid) {
        return;
    }
    const Process* parent = processes_.find(event.task.tgid);
    if (parent == nullptr || parent->threads) {
        return;
    }
    for (const std::uint32_t child : parent->zombies) {
        Process* process = processes_.find(child);
        if (process != nullptr && start_ns <= process->unreaped_ns) {
            process->unreaped_ns = std::max(process->unreaped_ns, end_ns);
        }
    }
}

/// A child that was left unreaped until `end_ns`, where its parent knew of its end.
void DeathTable::left(const Process& parent, std::uint32_t child, std::uint64_t end_ns,
                      Unreaped& row) const
{
    const Process* process = processes_.find(child);
    row.parent = parent.task;
    if (process == nullptr || parent.child_taken_ns <= process->exited_ns ||
        end_ns <= parent.child_taken_ns || row.children.size() == Unreaped::kMost) {
        return;
    }
    row.children.push_back(
        {process->task, process->exited_ns, end_ns - parent.child_taken_ns});
}

void DeathTable::settle_children(Process& parent, std::uint64_t end_ns)
{
    for (const std::uint32_t child : parent.zombies) {
        left(parent, child, end_ns, unreaped_.use(parent.task.tgid));
    }
    zombies_ -= std::min(zombies_, parent.zombies.size());
    parent.zombies.clear();
}

void DeathTable::on(const decode::Event&, const decode::Symbol& body)
{
    symbols_[body.record.id] = body.text;
}

void DeathTable::on(const decode::Event& event, const decode::Observed& body)
{
    Death* death = find(event.task.tgid);
    if (death == nullptr) {
        return;
    }
    const ipcscope_observed& record = body.record;
    ThreadLook look;
    look.at_ns = event.time_ns;
    look.thread = event.task;
    look.state = decode::state_of(record.state);
    look.missing = record.missing;
    look.blocked = record.blocked;
    look.pending = record.pending;
    look.caught = record.caught;
    const auto other = [&](std::uint32_t pid) { return pid == 0 ? Task{} : task_of(pid); };
    look.tracer = other(record.tracer_pid);
    look.vfork_child = other(record.vfork_child);
    look.exit_code = record.exit_code;
    look.threads = record.threads;
    look.wait_channel = body.wait_channel;
    look.stack = named(record.stack, record.stack_depth);
    death->alive_ns = std::max(death->alive_ns, event.time_ns);
    if (record.ppid != 0) {
        death->parent = other(record.ppid);
    }
    if (death->looks.size() < kMostLooks) {
        death->looks.push_back(std::move(look));
    }
}

/// What kept the process from taking the signal, or from its end.  Once a thread has taken it,
/// the CPU that others of its threads wait for is no hindrance.
Hindrance DeathTable::hindrance(const Death& death, const DeathSend& send,
                                std::uint64_t end_ns) const
{
    const std::uint32_t tgid = death.target.tgid;
    Hindrance kept = stays_.between(tgid, send.first_ns, end_ns);
    const DeathTaking* taking = death.taking_of(send);
    if (taking != nullptr && takes_itself(taking->how)) {
        kept.runnable_ns = stays_.between(tgid, send.first_ns, taking->at_ns).runnable_ns +
                           stays_.between(tgid, taking->at_ns, end_ns, taking->tid).runnable_ns;
    }
    return kept;
}

/// What kept it from its end, which is at `end_ns`, or not yet.
void DeathTable::finish(Death& death, std::uint64_t end_ns) const
{
    const std::uint32_t tgid = death.target.tgid;
    const std::uint64_t first = death.first_ns();
    if (end_ns < first || end_ns - first < kWorthALook_ns) {
        return;
    }
    for (DeathSend& send : death.sends) {
        send.hindrance = hindrance(death, send, end_ns);
    }
    death.children.clear();
    death.more_children = 0;
    std::vector<std::pair<std::uint64_t, Task>> children;   // the newest use first
    processes_.visit_all([&](const auto& entry, std::uint64_t used) {
        const Process& process = entry.second;
        if (process.ppid == tgid && process.exited_ns == 0) {
            children.emplace_back(used, process.task);
        }
    });
    std::ranges::sort(children, std::greater{}, &std::pair<std::uint64_t, Task>::first);
    for (const auto& [used, task] : children) {
        if (death.children.size() < kMostChildren) {
            death.children.push_back(task);
        } else {
            ++death.more_children;
        }
    }
}

void DeathTable::close(std::uint32_t tgid)
{
    Death* death = find(tgid);
    if (death == nullptr) {
        return;
    }
    if (closed_.size() == kMostDeaths) {
        const bool longer = outlasts(*death, closed_.front());
        evicted_ += lasted_ns(longer ? closed_.front() : *death) >= kWorthALook_ns;
        if (longer) {
            std::ranges::pop_heap(closed_, outlasts);
            closed_.back() = std::move(*death);
            std::ranges::push_heap(closed_, outlasts);
        }
    } else {
        closed_.push_back(std::move(*death));
        if (closed_.size() == kMostDeaths) {
            std::ranges::make_heap(closed_, outlasts);
        }
    }
    open_.erase(tgid);
}

std::vector<Death> DeathTable::rows(const Coverage& coverage, std::uint64_t end_ns) const
{
    std::vector<Death> out = closed_;
    for (const auto& [tgid, death] : open_) {
        Death& row = out.emplace_back(death);
        if (!row.gone_ns) {
            finish(row, end_ns);
        }
    }
    std::erase_if(out, [](const Death& death) { return death.sends.empty(); });
    for (Death& death : out) {
        death.traced = coverage.covers(death.target.tgid);
        for (DeathSend& send : death.sends) {
            const Comm* now = senders_.find(send.sender.tgid);
            // Where only a thread's name is known, the name of its process says nothing.
            if (send.origin == decode::Origin::task && send.named && now != nullptr &&
                *now != send.sender.comm) {
                send.sender_now = *now;
            }
        }
    }
    std::ranges::stable_sort(out, {}, [](const Death& death) { return death.first_ns(); });
    return out;
}

std::vector<Unreaped> DeathTable::unreaped(const Coverage& coverage, std::uint64_t end_ns) const
{
    std::map<std::uint32_t, Unreaped> parents;
    for (const auto& [tgid, row] : unreaped_) {
        parents[tgid] = row;
    }
    for (const auto& [tgid, process] : processes_) {
        for (const std::uint32_t child : process.zombies) {
            left(process, child, end_ns, parents[tgid]);
        }
    }
    std::vector<Unreaped> out;
    for (auto& [tgid, row] : parents) {
        // When a child outside the trace was reaped is not recorded.
        std::erase_if(row.children, [&](const Unreaped::Child& child) {
            return !coverage.covers(child.task.tgid);
        });
        if (!row.children.empty()) {
            out.push_back(std::move(row));
        }
    }
    return out;
}

}  // namespace ipcscope::aggregate
