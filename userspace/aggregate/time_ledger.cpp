// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/time_ledger.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "decode/time.hpp"

namespace ipcscope::aggregate {
namespace {

using decode::Op;
using decode::State;

constexpr std::array kDirections{
    Direction::input,     // read
    Direction::output,    // write
    Direction::neither,   // open
    Direction::neither,   // resize
    Direction::input,     // splice_in
    Direction::output,    // splice_out
    Direction::input,     // tee
    Direction::output,    // vmsplice
    Direction::output,    // send
    Direction::input,     // receive
    Direction::output,    // connect: waits for room in the backlog
    Direction::input,     // accept
    Direction::neither,   // notify
    Direction::neither,   // semaphore
    Direction::neither,   // attach
    Direction::neither,   // wait
    Direction::neither,   // wake
    Direction::neither,   // requeue
};
static_assert(kDirections.size() == IPCSCOPE_OP_COUNT);

constexpr std::uint64_t less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

Part blocked_part(const decode::Call& call)
{
    switch (direction_of(call)) {
    case Direction::input: return Part::input;
    case Direction::output: return Part::output;
    case Direction::neither: break;
    }
    return Part::call;
}

/// Of the time in poll, what came after `ready_ns`, since when a poll for the object
/// would have returned at once: the time from then to the entry, less all of the
/// span that was not in poll.
std::uint64_t polled_though_ready(const decode::Call& call, const decode::Between& between,
                                  std::uint64_t ready_ns)
{
    if (ready_ns == 0) return 0;
    const std::uint64_t since = std::max<std::uint64_t>(ready_ns, call.since_ns);
    const std::uint64_t not_polling = between.span_ns - between.polling_ns;
    return std::min(less(less(call.enter_ns, since), not_polling), between.polling_ns);
}

}  // namespace

Direction direction_of(Op op) { return kDirections[static_cast<std::size_t>(op)]; }

Direction direction_of(const decode::Call& call)
{
    if (decode::type_of(call) == decode::ObjectType::none) {
        return Direction::neither;
    }
    if (const auto open = channel_open(call)) {
        return open->output ? Direction::output : Direction::input;
    }
    return direction_of(decode::op_of(call));
}

void TimeLedger::slice(const decode::Event& event, const decode::Slice& slice)
{
    Thread& thread = threads_.use(event.task.tid);
    Slices& slices = slice.call ? thread.inside : thread.between;
    const std::uint64_t ns = less(slice.end_ns, slice.start_ns);
    switch (decode::state_of(slice.state)) {
    case State::stopped: slices.stopped_ns += ns; break;
    case State::traced: slices.traced_ns += ns; break;
    case State::frozen: slices.frozen_ns += ns; break;
    case State::polling:
        (slice.waker_tid == 0 ? thread.polls.timed_out_ns : thread.polls.woken_ns) += ns;
        break;
    // Their sums are fields of their own, or the rest of one.
    case State::unknown: case State::running: case State::interruptible:
    case State::uninterruptible: case State::killable: case State::idle:
    case State::zombie: case State::dead: case State::other: case State::runnable: break;
    }
}

/// The thread, which has been accounted for until `since_ns` now.
TimeLedger::Thread& TimeLedger::begin(const decode::Event& event, std::uint64_t since_ns,
                                      Entry& entry)
{
    Thread& thread = threads_.use(event.task.tid);
    entry.first = thread.accounted_ns == 0;
    if (!entry.first) {
        const std::uint64_t gap = less(since_ns, thread.accounted_ns);
        entry.before.span_ns += gap;
        entry.before.add(Part::unaccounted, gap);
    }
    thread.accounted_ns = std::max(event.time_ns, since_ns);
    return thread;
}

/// Cuts `ns` by what slices say; `rest` is what they do not.
void TimeLedger::take(Slices& slices, std::uint64_t ns, Part rest, Time& time)
{
    const auto cut = [&](std::uint64_t& slice_ns, Part part) {
        const std::uint64_t taken = std::min(slice_ns, ns);
        slice_ns -= taken;
        ns -= taken;
        time.add(part, taken);
    };
    cut(slices.stopped_ns, Part::stopped);
    cut(slices.traced_ns, Part::traced);
    cut(slices.frozen_ns, Part::frozen);
    time.add(rest, ns);
}

/// All but what was in poll.
void TimeLedger::add(Time& time, const decode::Between& between, Thread& thread)
{
    time.span_ns += between.span_ns;
    time.add(Part::running, between.running_ns);
    time.add(Part::runnable, between.runnable_ns);
    time.add(Part::sleeping, between.sleeping_ns);
    time.add(Part::uninterruptible, between.uninterruptible_ns);
    time.add(Part::killable, between.killable_ns);
    take(thread.between, between.other_ns, Part::other, time);
}

/// What the time in poll before a call was for: the object of the call, unless the
/// records prove that the object was ready, or that no process ended the wait: a sleep by
/// poll(), select(), unless a last poll after those that timed out ended for it.  For output only where a write had found the object full.
void TimeLedger::add_polling(Time& time, const decode::Call& call,
                             const decode::Between& between, const Polls& polls) const
{
    if (between.polling_ns == 0) return;
    const ObjectLevel* level = levels_.find(object_of(call));
    const Direction direction = direction_of(call);
    std::uint64_t slept =
        polls.woken_ns == 0 ? std::min(polls.timed_out_ns, between.polling_ns) : 0;
    std::uint64_t other = 0;
    Part rest = Part::poll_unknown;
    if (direction == Direction::input && call.ret != -EAGAIN) {
        if (level != nullptr)
            other = polled_though_ready(call, between, level->filled_since_ns());
        // The last poll, a short one, returned for it: those before it waited for it, too.
        const std::uint64_t rest_ns = between.polling_ns - slept;
        if (level != nullptr && level->filled_since_ns() != 0 && rest_ns != 0 &&
            level->filled_since_ns() + rest_ns + (between.span_ns - between.polling_ns) >=
                call.enter_ns)
            slept = 0;
        rest = Part::poll_input;
    } else if (direction == Direction::output && call.ret != -EAGAIN && level != nullptr) {
        other = polled_though_ready(call, between, level->room_since_ns());
        if (level->was_full()) rest = Part::poll_output;
    }
    other = std::max(other, slept);
    time.add(Part::poll_other, other);
    time.add(rest, between.polling_ns - other);
}

TimeLedger::Entry TimeLedger::call(const decode::Event& event, const decode::Call& call)
{
    Entry entry;
    Thread& thread = begin(event, call.since_ns, entry);
    const decode::Between between = decode::between(call);
    add(entry.before, between, thread);
    add_polling(entry.before, call, between, std::exchange(thread.polls, {}));
    const decode::Inside inside = decode::inside(event, call);
    entry.inside.span_ns = inside.span_ns;
    entry.inside.add(Part::running, inside.running_ns);
    entry.inside.add(Part::runnable, inside.runnable_ns);
    entry.inside.add(blocked_part(call), inside.blocked_ns);
    take(thread.inside, inside.uninterruptible_ns, Part::call_uninterruptible, entry.inside);
    if (decode::is_pipe(decode::type_of(call))) levels_.use(object_of(call)).call(event, call);
    return entry;
}

TimeLedger::Entry TimeLedger::time(const decode::Event& event, const decode::ThreadTime& time)
{
    Entry entry;
    Thread& thread = begin(event, time.since_ns, entry);
    const decode::Between between = decode::between(event, time);
    add(entry.before, between, thread);
    thread.polls = {};
    entry.before.add(Part::poll_unknown, between.polling_ns);
    return entry;
}

}  // namespace ipcscope::aggregate
