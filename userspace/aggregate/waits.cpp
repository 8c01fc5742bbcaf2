// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/waits.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <tuple>

#include "aggregate/call_result.hpp"
#include "aggregate/channel_table.hpp"
#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

constexpr std::size_t kMostAncestors = 8;
constexpr std::size_t kMostIdle = 32;

bool waited_longer(const LongWait& a, const LongWait& b) { return a.length_ns() > b.length_ns(); }

/// Only a signal, or the last reader's end, keeps a blocking write from writing all.
bool wrote_a_part(const decode::Call& call)
{
    const decode::Op op = decode::op_of(call);
    return (op == decode::Op::write || op == decode::Op::send) && moved_a_part(call) &&
           (call.flags & IPCSCOPE_CALL_NONBLOCK) == 0;
}

/// A signal ended the call before it had done what it was to do.
bool was_broken_off(const decode::Call& call)
{
    return is_interrupted(call.ret) || wrote_a_part(call);
}

LongWait::Ended how_it_ended(const decode::Event& event, const decode::Call& call, bool last)
{
    using Ended = LongWait::Ended;
    if (!last) {
        return Ended::woken;
    }
    if (event.unfinished) {
        return Ended::unfinished;
    }
    if (was_broken_off(call)) {
        return Ended::signal;
    }
    if (is_timed_out(call.ret)) {
        return Ended::timeout;
    }
    if (call.ret == -EPIPE) {
        return Ended::broken;
    }
    return is_end_of_file(call) ? Ended::end_of_file : Ended::woken;
}

/// Beyond the most, neighbouring sleeps are merged, as those of a loop.
void add_idle(std::vector<Sleep>& idle, const Sleep& piece)
{
    if (idle.size() < kMostIdle) {
        idle.push_back(piece);
    } else if (since(piece.start_ns, idle.back().end_ns) <= piece.end_ns - piece.start_ns) {
        idle.back().end_ns = piece.end_ns;
    }
}

}  // namespace

bool WaitTable::Object::used(bool write, std::uint32_t tid) const
{
    return std::ranges::find(users[write ? 1 : 0], tid) != users[write ? 1 : 0].end();
}

void WaitTable::Object::use(bool write, std::uint32_t tid)
{
    if (tid != 0 && last_tid[write ? 1 : 0] == tid) {
        return;   // it is there, or there are too many
    }
    last_tid[write ? 1 : 0] = tid;
    if (!used(write, tid) && users[write ? 1 : 0].size() < kMostUsers) {
        users[write ? 1 : 0].push_back(tid);
    }
}

WaitTable::Blame& WaitTable::Actor::judged()
{
    if (!blame) {
        blame = std::make_unique<Blame>();
    }
    return *blame;
}

WaitTable::Actor& WaitTable::actor(const decode::Event& event)
{
    Actor& actor = actors_.use(event.task.tid);
    if (actor.task.comm.empty() || !event.task.comm.empty()) {
        actor.task = event.task;
    }
    return actor;
}

void WaitTable::thread(const decode::Event& event, const decode::Thread& thread)
{
    if (thread.reason == IPCSCOPE_THREAD_FORK) {
        actors_.erase(event.task.tid);   // its number may have been another's
    }
    Actor& actor = this->actor(event);
    if (thread.reason == IPCSCOPE_THREAD_FORK) {
        actor.born_ns = event.time_ns;
        actor.parent = event.task.tid == event.task.tgid ? thread.ppid : event.task.tgid;
    }
}

void WaitTable::slice(const decode::Event& event, const decode::Slice& slice)
{
    const decode::State state = decode::state_of(slice.state);
    const bool sleeps = state == decode::State::interruptible || state == decode::State::polling;
    if (!sleeps || slice.end_ns < slice.start_ns) {
        return;
    }
    Actor& actor = this->actor(event);
    const Sleep piece{slice.start_ns, slice.end_ns, slice.waker_tid};
    if (slice.call != 0) {
        if (actor.slices.size() == kMostSlices) {
            actor.slices.pop_back();   // the newest shows how the call goes on
        }
        actor.slices.push_back(piece);
    } else if (actor.first_call_ns == 0) {
        add_idle(actor.idle, piece);
    }
}

/// A thread's end, or the trace's.
void WaitTable::time(const decode::Event& event)
{
    if (Actor* actor = actors_.find(event.task.tid)) {
        actor->slices.clear();
    }
}

void WaitTable::call(const decode::Event& event, const decode::Call& call,
                     const ChannelUse& use, const TimeLedger::Entry& entry)
{
    Actor& actor = this->actor(event);
    if (actor.first_call_ns == 0) {
        actor.first_call_ns = call.enter_ns;
    }
    const bool output = use.output;
    Object& object = objects_.use(use.channel);
    const std::uint64_t polled_ns =
        entry.before.at(output ? Part::poll_output : Part::poll_input);
    if (polled_ns != 0) {
        const Span span = polled_span(call, polled_ns);
        book({event, call, use, true, false},
             {span.start_ns, span.end_ns, object.last_tid[output ? 0 : 1]});
    }
    const bool broken_off = !event.unfinished && was_broken_off(call);
    const std::vector<Sleep> all = call_sleeps(actor.slices, event, call);
    actor.slices.clear();
    for (Sleep piece : all) {
        // A large write, say, of which the other end takes a part each time.
        const bool goes_on = event.unfinished && piece.several;
        // One that shares its end passes a wake-up on: it came from the other end.
        if (goes_on ||
            (object.used(output, piece.waker_tid) && !object.used(!output, piece.waker_tid))) {
            piece.waker_tid = object.last_tid[output ? 0 : 1];
        }
        const bool last = piece.end_ns == all.back().end_ns;
        const bool not_over = last && !goes_on && (broken_off || event.unfinished);
        const Wait wait{event, call, use, false, not_over};
        book(wait, piece);
        if (!goes_on) note_long(wait, piece, last);
    }
    if (!event.unfinished) {
        object.use(output, event.task.tid);
    }
}

/// That a FIFO's other end is opened later is no slowness of its process: no process is waited
/// for, and only a wait that is long is noted.
void WaitTable::open(const decode::Event& event, const decode::Call& call,
                     const ChannelUse& use)
{
    Actor& opener = actor(event);
    const std::vector<Sleep> all = call_sleeps(opener.slices, event, call);
    opener.slices.clear();
    for (const Sleep& piece : all) {
        note_long({event, call, use, false, false}, piece, piece.end_ns == all.back().end_ns);
    }
}

void WaitTable::connect(const decode::Event& event, const decode::Call& call)
{
    Actor& connecter = actor(event);
    if (connecter.first_call_ns == 0) connecter.first_call_ns = call.enter_ns;
    connecter.slices.clear();
    const bool connected = !event.unfinished && !was_broken_off(call) && !is_timed_out(call.ret);
    if (connected || call.blocked_ns == 0) return;
    const ObjectId end = object_of(call);
    const ChannelUse use{end, end, end, true};
    const Sleep sleep = call_sleeps({}, event, call).front();
    note_long({event, call, use, false, false}, sleep, true);
}

void WaitTable::connected(const decode::Event& event, const decode::Call& call,
                          const ChannelUse& use)
{
    for (const Sleep& piece : call_sleeps({}, event, call)) {
        book({event, call, use, false, false}, piece);
    }
}

/// To who ended it; what was before that one was born to its parent, from which it has
/// its end of a pipe, and so on.
void WaitTable::book(const Wait& wait, const Sleep& piece)
{
    actor(wait.event).judged().own.add(piece.start_ns, piece.end_ns);
    actor(wait.event).judged().both.add(piece.start_ns, piece.end_ns);
    std::uint32_t waker = wait.broken_off || piece.waker_tid == wait.event.task.tid
                              ? 0 : piece.waker_tid;
    const bool inherited = decode::type_of(wait.call) == decode::ObjectType::pipe;
    Sleep left = piece;
    for (std::size_t ancestors = 0; waker != 0 && ancestors < kMostAncestors; ++ancestors) {
        const Actor* found = actors_.find(waker);
        const std::uint64_t born_ns = found != nullptr ? found->born_ns : 0;
        if (born_ns <= left.start_ns) {
            break;
        }
        if (born_ns < left.end_ns) {
            book_to(wait, {born_ns, left.end_ns, waker}, waker);
            left.end_ns = born_ns;
        }
        waker = inherited && found->parent != wait.event.task.tgid ? found->parent : 0;
    }
    book_to(wait, left, waker);
}

void WaitTable::book_to(const Wait& wait, const Sleep& piece, std::uint32_t waker_tid)
{
    const std::uint64_t ns = piece.end_ns - piece.start_ns;
    if (ns == 0) {
        return;
    }
    const Task waker = waker_tid == 0 ? Task{} : task_of(waker_tid);
    WaitRow& row = edges_.use({wait.use.channel, wait.use.output, wait.event.task.tid, waker.tid});
    row.channel = wait.use.channel;
    row.output = wait.use.output;
    row.waiter = wait.event.task;
    row.waker = waker;
    ++row.count;
    row.total_ns += ns;
    row.polled_ns += wait.polled ? ns : 0;
    row.unfinished_ns += wait.event.unfinished && !wait.polled && wait.broken_off ? ns : 0;
    row.longest_ns = std::max(row.longest_ns, ns);
    if (waker_tid != 0) {
        if (Actor* actor = actors_.find(waker_tid)) {
            blame(*actor, piece, channel_kind(decode::type_of(wait.call)).flows);
        }
    }
}

/// Start-up is no slowness: before its first call a thread is waited for only where it
/// slept of its own will, or in poll.  Who holds a lock took it before the wait began, without a
/// call where it was free.
void WaitTable::blame(Actor& actor, const Sleep& piece, bool flows)
{
    Blame& blame = actor.judged();
    const auto add = [&](std::uint64_t start_ns, std::uint64_t end_ns) {
        if (start_ns < end_ns) {
            blame.both.add(start_ns, end_ns);
            blame.waited_for_ns += end_ns - start_ns;
        }
    };
    if (!flows) {
        add(piece.start_ns, piece.end_ns);
        return;
    }
    // The call that ended the wait may be its first one.
    const std::uint64_t first_ns = actor.first_call_ns != 0 ? actor.first_call_ns : piece.end_ns;
    for (const Sleep& idle : actor.idle) {
        add(std::max(idle.start_ns, piece.start_ns),
            std::min({idle.end_ns, piece.end_ns, first_ns}));
    }
    add(std::max(first_ns, piece.start_ns), piece.end_ns);
}

void WaitTable::note_long(const Wait& wait, const Sleep& piece, bool last)
{
    const std::uint64_t ns = piece.end_ns - piece.start_ns;
    if (ns < kLongWait_ns && !(last && wait.event.unfinished)) {
        return;
    }
    if (long_.size() == kMostLong && ns <= long_.front().length_ns()) {
        ++long_evicted_;
        return;
    }
    LongWait found;
    found.channel = wait.use.channel;
    found.output = wait.use.output;
    found.waiter = wait.event.task;
    found.process = process_of(wait.event);
    found.waker = piece.waker_tid == 0 ? Task{} : task_of(piece.waker_tid);
    found.start_ns = piece.start_ns;
    found.end_ns = piece.end_ns;
    found.ended = how_it_ended(wait.event, wait.call, last);
    found.before_trace = wait.event.before_trace;
    found.requested = wait.call.requested;
    found.op = decode::op_of(wait.call);
    if (long_.size() == kMostLong) {
        std::ranges::pop_heap(long_, waited_longer);
        long_.pop_back();
        ++long_evicted_;
    }
    long_.push_back(std::move(found));
    std::ranges::push_heap(long_, waited_longer);
}

Task WaitTable::task_of(std::uint32_t tid) const
{
    const Actor* actor = actors_.find(tid);
    return actor != nullptr ? actor->task : Task{0, tid, {}};
}

std::vector<WaitRow> WaitTable::rows() const
{
    std::vector<WaitRow> out;
    for (const auto& [key, row] : edges_) {
        out.push_back(row);
    }
    std::ranges::stable_sort(out, [](const WaitRow& a, const WaitRow& b) {
        return std::pair(b.total_ns, a.waiter.tid) < std::pair(a.total_ns, b.waiter.tid);
    });
    return out;
}

std::vector<WaitRow> by_process(const std::vector<WaitRow>& rows)
{
    std::map<std::tuple<ObjectId, bool, std::uint32_t, std::uint32_t>, std::size_t> places;
    std::vector<WaitRow> out;
    for (const WaitRow& row : rows) {
        const auto [at, is_new] = places.try_emplace(
            {row.channel, row.output, row.waiter.tgid, row.waker.tgid}, out.size());
        if (is_new) {
            out.push_back(row);
            out.back().waiter.tid = out.back().waker.tid = 0;
            continue;
        }
        WaitRow& sum = out[at->second];
        sum.count += row.count;
        sum.total_ns = plus(sum.total_ns, row.total_ns);
        sum.polled_ns = plus(sum.polled_ns, row.polled_ns);
        sum.unfinished_ns = plus(sum.unfinished_ns, row.unfinished_ns);
        sum.longest_ns = std::max(sum.longest_ns, row.longest_ns);
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &WaitRow::total_ns);
    return out;
}

std::vector<LongWait> WaitTable::long_waits() const
{
    std::vector<LongWait> out = long_;
    std::ranges::stable_sort(out, {}, &LongWait::start_ns);
    return out;
}

std::vector<ActorRow> WaitTable::actors() const
{
    std::vector<ActorRow> out;
    for (const auto& [tid, actor] : actors_) {
        if (actor.blame) {
            const std::uint64_t own_ns = actor.blame->own.total_ns();
            out.push_back({actor.task, own_ns, actor.blame->waited_for_ns,
                           actor.blame->both.total_ns() - own_ns});
        }
    }
    std::ranges::sort(out, {}, [](const ActorRow& row) { return row.task.tid; });
    return out;
}

std::uint64_t WaitTable::evicted() const
{
    return edges_.evicted() + actors_.evicted() + objects_.evicted() + long_evicted_;
}

}  // namespace ipcscope::aggregate
