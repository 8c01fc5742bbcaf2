// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/mask_table.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <ipcscope/policy.h>

#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

/// As source/bpf/hooks.cpp and kmod/hooks.c call it; another line says that it is not there.
constexpr std::string_view kHook = "handler returns: restore_sigcontext";

std::uint64_t bit_of(unsigned signal) { return IPCSCOPE_SIG_BIT(signal); }

}  // namespace

void MaskTable::host(const source::Host& host)
{
    traced_ = std::ranges::any_of(host.hooks, [](const std::string& hook) {
        return std::string_view(hook).starts_with(kHook);
    });
}

void MaskTable::add(Thread& thread, std::uint64_t signals, const Blocking& blocking)
{
    if (signals == 0) {
        return;
    }
    if (thread.periods.size() == kMostPeriods) {
        thread.periods.erase(thread.periods.begin());   // why is not known any more
    }
    thread.periods.push_back({signals, blocking});
}

void MaskTable::remove(Thread& thread, std::uint64_t signals)
{
    for (Period& period : thread.periods) {
        period.signals &= ~signals;
    }
    std::erase_if(thread.periods, [](const Period& period) { return period.signals == 0; });
}

void MaskTable::on(const decode::Event& event, const decode::Thread& body)
{
    if (!traced_) {
        return;
    }
    Blocking blocking;
    switch (static_cast<decode::ThreadReason>(body.reason)) {
    case decode::ThreadReason::sweep: blocking.by = Blocking::By::start; break;
    case decode::ThreadReason::fork: blocking.by = Blocking::By::birth; break;
    case decode::ThreadReason::exec: blocking.by = Blocking::By::exec; break;
    case decode::ThreadReason::seen:
    case decode::ThreadReason::rename: return;
    }
    if (blocking.by == Blocking::By::birth) {
        threads_.erase(event.task.tid);   // its number may have been another's
    }
    Thread& thread = threads_.use(event.task.tid);
    thread.running.clear();   // execve() ends them
    // What is known to be blocked for another reason still is.
    std::uint64_t known = 0;
    for (const Period& period : thread.periods) {
        known |= period.signals;
    }
    remove(thread, ~body.blocked);
    blocking.since_ns = event.time_ns;
    add(thread, body.blocked & ~known, blocking);
}

void MaskTable::on(const decode::Event& event, const decode::SignalMask& body)
{
    Thread& thread = threads_.use(event.task.tid);
    Blocking blocking;
    blocking.by = Blocking::By::call;
    blocking.since_ns = event.time_ns;
    blocking.syscall = body.syscall;
    remove(thread, body.before & ~body.after);
    add(thread, body.after & ~body.before, blocking);
}

void MaskTable::on(const decode::Event& event, const decode::SignalTake& body)
{
    if (!traced_ || decode::how_of(body) != decode::How::handler) {
        return;
    }
    auto& running = threads_.use(event.task.tid).running;
    if (running.size() < kMostRuns) {
        running.push_back({body.sig, event.time_ns, 0, 0});
    }
}

/// What the handler had blocked by a call of its own goes with its return.
void MaskTable::on(const decode::Event& event, const decode::SignalHandler& body)
{
    Thread& thread = threads_.use(event.task.tid);
    const auto& running = thread.running;
    const auto last = std::find_if(running.rbegin(), running.rend(), [&](const Run& run) {
        return run.signal == body.sig && run.enter_ns <= body.enter_ns;
    });
    if (last != running.rend()) {
        thread.running.erase(std::next(last).base());
    }
    if (since(event.time_ns, body.enter_ns) >= kShortestRun_ns) {
        thread.runs.push_back({body.sig, body.enter_ns, event.time_ns, body.blocked_inside});
        if (thread.runs.size() > kMostRuns) {
            thread.runs.pop_front();
        }
    }
    if (!body.left) {
        remove(thread, ~body.blocked_after);
    }
}

void MaskTable::on(const decode::Event& event, const decode::SignalGenerate& body)
{
    if (!traced_ || !body.blocked) {
        return;
    }
    Thread* thread = threads_.find(body.target_tid);
    if (thread == nullptr) {
        return;
    }
    const auto found = std::ranges::find_if(thread->periods, [&](const Period& period) {
        return (period.signals & bit_of(body.sig)) != 0;
    });
    if (found == thread->periods.end()) {
        return;
    }
    thread->sent.push_back({body.sig, event.time_ns, found->blocking});
    if (thread->sent.size() > kMostSent) {
        thread->sent.pop_front();
    }
}

/// The innermost of those that had it blocked: that returned since, as their records say; else
/// that it is in, where its number is that signal's.
std::optional<Blocking> MaskTable::by_handler(const Thread& thread, unsigned signal,
                                              std::uint64_t sent_ns)
{
    Blocking blocking;
    blocking.by = Blocking::By::handler;
    for (const Run& run : thread.runs) {
        if (run.exit_ns < sent_ns || (run.blocked & bit_of(signal)) == 0) {
            continue;
        }
        if (run.enter_ns <= sent_ns && blocking.until_ns == 0) {
            blocking.since_ns = run.enter_ns;
            blocking.handler = run.signal;
            blocking.until_ns = run.exit_ns;
        }
        // Others of the queue have their runs before it.
        blocking.inside_ns += run.exit_ns - std::max(run.enter_ns, sent_ns);
    }
    if (blocking.until_ns != 0) {
        return blocking;
    }
    blocking.inside_ns = 0;
    for (const Run& run : thread.running) {
        if (run.enter_ns <= sent_ns && run.signal == signal) {
            blocking.since_ns = run.enter_ns;
            blocking.handler = run.signal;
            return blocking;
        }
    }
    return std::nullopt;
}

std::optional<Blocking> MaskTable::runs_since(std::uint32_t tid, unsigned signal,
                                              std::uint64_t sent_ns) const
{
    const Thread* thread = threads_.find(tid);
    std::optional<Blocking> blocking;
    if (thread == nullptr) {
        return blocking;
    }
    for (const Run& run : thread->runs) {
        if (run.enter_ns < sent_ns || (run.blocked & bit_of(signal)) == 0) {
            continue;
        }
        if (!blocking) {
            blocking.emplace();
            blocking->by = Blocking::By::handler;
            blocking->since_ns = run.enter_ns;
            blocking->handler = run.signal;
            blocking->until_ns = run.exit_ns;
        }
        blocking->inside_ns += run.exit_ns - run.enter_ns;
    }
    return blocking;
}

std::optional<Blocking> MaskTable::why(std::uint32_t tid, unsigned signal,
                                       std::uint64_t sent_ns) const
{
    const Thread* thread = threads_.find(tid);
    if (thread == nullptr) {
        return std::nullopt;
    }
    const auto sent = std::ranges::find_if(thread->sent, [&](const Sent& one) {
        return one.signal == signal && one.at_ns == sent_ns;
    });
    return sent != thread->sent.end() ? std::optional(sent->blocking)
                                      : by_handler(*thread, signal, sent_ns);
}

}  // namespace ipcscope::aggregate
