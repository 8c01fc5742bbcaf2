// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/round_trips.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "aggregate/channel.hpp"

namespace ipcscope::aggregate {
namespace {

/// One message of a round trip: instants, each not before the one above it once
/// they are walked along (Walk).
struct Message {
    std::uint64_t begin_ns = 0;    ///< the sender enters its call
    std::uint64_t full_ns = 0;     ///< of which it was blocked
    std::uint64_t sent_ns = 0;     ///< the receiver is woken, or could go on
    std::uint64_t waits_ns = 0;    ///< for a CPU, from then on
    std::uint64_t waited_ns = 0;   ///< signals: it is taken at this time
    std::uint64_t receiver_ns = 0; ///< the receiver entered its call
    std::uint64_t end_ns = 0;      ///< the receiver leaves its call
};

/// Gives each stretch of time to one of the parts; time never goes back, and not
/// beyond the end, so that the parts add up whatever the records say.
class Walk {
public:
    Walk(RoundTrips& into, std::uint64_t from_ns, std::uint64_t to_ns)
        : into_(into), now_(from_ns), end_(to_ns)
    {
    }

    void until(std::uint64_t time_ns, Stretch stretch)
    {
        time_ns = std::min(time_ns, end_);
        if (time_ns > now_) {
            into_.ns[static_cast<std::size_t>(stretch)] += time_ns - now_;
            now_ = time_ns;
        }
    }

    /// Of what is next, so much at most.
    void next(std::uint64_t ns, std::uint64_t limit_ns, Stretch stretch)
    {
        until(std::min(now_ + ns, limit_ns), stretch);
    }

private:
    RoundTrips& into_;
    std::uint64_t now_;
    std::uint64_t end_;
};

void walk(Walk& walk, const Message& message)
{
    walk.until(message.begin_ns, Stretch::outside);
    const std::uint64_t sent = std::min(message.sent_ns, message.end_ns);
    walk.next(message.full_ns, sent, Stretch::full);
    walk.until(sent, Stretch::send);
    if (message.waited_ns) {
        walk.until(std::min(message.waited_ns, message.end_ns), Stretch::wake);
    }
    walk.next(message.waits_ns, message.end_ns, Stretch::runqueue);
    // It had not come to its call yet.
    walk.until(std::min(message.receiver_ns, message.end_ns), Stretch::outside);
    walk.until(message.end_ns, Stretch::receive);
}

/// The records of one task that matter here, in the order of time.
template <typename Body>
struct Seen {
    const decode::Event* event;
    const Body* body;
    std::uint64_t enter_ns;
};

template <typename Body, typename Wanted>
std::vector<Seen<Body>> of(std::span<const decode::Event> events, std::uint32_t tid,
                           Wanted wanted)
{
    std::vector<Seen<Body>> found;
    for (const decode::Event& event : events) {
        const Body* body = std::get_if<Body>(&event.body);
        if (body && event.task.tid == tid && !event.unfinished && wanted(*body)) {
            found.push_back({&event, body, body->enter_ns});
        }
    }
    return found;
}

template <typename Body>
std::uint64_t entered(const Seen<Body>& seen) { return seen.enter_ns; }
template <typename Body>
std::uint64_t recorded(const Seen<Body>& seen) { return seen.event->time_ns; }

/// A list that is gone through once, from the oldest on.
template <typename Body, std::uint64_t (*kTime)(const Seen<Body>&)>
class Queue {
public:
    explicit Queue(std::vector<Seen<Body>> all) : all_(std::move(all)) {}

    /// Those whose time is in [from, to).
    std::span<const Seen<Body>> within(std::uint64_t from_ns, std::uint64_t to_ns)
    {
        while (at_ < all_.size() && kTime(all_[at_]) < from_ns) at_++;
        const std::size_t first = at_;
        while (at_ < all_.size() && kTime(all_[at_]) < to_ns) at_++;
        return std::span(all_).subspan(first, at_ - first);
    }

    /// The only one of them; nothing where there are more or none.
    std::optional<Seen<Body>> only(std::uint64_t from_ns, std::uint64_t to_ns)
    {
        const auto found = within(from_ns, to_ns);
        return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
    }

private:
    std::vector<Seen<Body>> all_;
    std::size_t at_ = 0;
};

/// Cuts the time from `from_ns` to `to_ns` where a enters a call, so that nothing
/// of it belongs to no round trip; `messages` finds the two of each.
template <typename Body, typename Messages>
RoundTrips split(const std::vector<Seen<Body>>& calls, std::uint64_t from_ns,
                 std::uint64_t to_ns, Messages messages)
{
    RoundTrips trips;
    const auto inside = [&](const Seen<Body>& call) {
        return entered(call) >= from_ns && entered(call) < to_ns;
    };
    const auto first = std::find_if(calls.begin(), calls.end(), inside);
    const auto last = std::find_if_not(first, calls.end(), inside);
    for (auto call = first; call != last; ++call) {
        const std::uint64_t begin = call == first ? from_ns : entered(*call);
        const std::uint64_t end = call + 1 == last ? to_ns : entered(*(call + 1));
        const std::optional<std::array<Message, 2>> both = messages(*call, begin, end);
        if (!both || end <= begin) {
            trips.left_out++;
            continue;
        }
        Walk along(trips, begin, end);
        walk(along, (*both)[0]);
        walk(along, (*both)[1]);
        along.until(end, Stretch::outside);
        trips.count++;
        trips.total_ns += end - begin;
    }
    return trips;
}

/// When the receiver was woken from its last sleep in the call; 0: it did not sleep,
/// or too long ago for the record.
std::uint64_t woken_ns(const Seen<decode::Call>& read)
{
    const std::uint32_t before_ns = read.body->woken_before_ns;
    if (read.body->sleeps == 0 || before_ns == 0 || before_ns == UINT32_MAX) return 0;
    return read.event->time_ns - std::min<std::uint64_t>(before_ns, read.event->time_ns);
}

using Call = Seen<decode::Call>;

Message call_message(const Call& put, const Call& taken)
{
    Message message;
    message.begin_ns = put.enter_ns;
    message.full_ns = put.body->blocked_ns;
    message.receiver_ns = taken.enter_ns;
    message.end_ns = taken.event->time_ns;
    const std::uint64_t woken = woken_ns(taken);
    if (woken >= message.begin_ns && woken <= message.end_ns && woken != 0) {
        message.sent_ns = woken;
        message.waits_ns = taken.body->runnable_ns;
        return message;
    }
    // It did not sleep: it found the message when it came, or slept in poll until then.
    message.sent_ns = put.event->time_ns;
    if (taken.body->between_polling_ns != 0) {
        message.waits_ns = taken.body->between_runnable_ns;
    }
    return message;
}

/// nullopt: a record is missing, or one too many.  `silent`: a side may make no call.
std::optional<Message> call_message(std::span<const Call> put, std::span<const Call> taken,
                                    bool silent)
{
    if (put.size() == 1 && taken.size() == 1) return call_message(put[0], taken[0]);
    if (!silent || put.size() > 1 || taken.size() > 1) return std::nullopt;
    Message message;
    if (!put.empty()) {
        message.begin_ns = put[0].enter_ns;
        message.sent_ns = message.end_ns = put[0].event->time_ns;
    } else if (!taken.empty()) {
        if (taken[0].body->sleeps != 0) return std::nullopt;   // who woke it made a call
        message.begin_ns = message.sent_ns = message.receiver_ns = taken[0].enter_ns;
        message.end_ns = taken[0].event->time_ns;
    }
    return message;
}

/// Whether the call did what it was made for.  A futex's wait may find that there is nothing
/// to wait for.
bool has_moved(const decode::Call& call)
{
    return call.ret >= 0 || (decode::op_of(call) == decode::Op::wait && call.ret == -EAGAIN);
}

/// What a thread put in (`output`), or took out.
std::vector<Call> moves(std::span<const decode::Event> events, std::uint64_t kinds,
                        std::uint32_t tid, bool output)
{
    std::vector<Call> found;
    const decode::Call* before = nullptr;   // of the same thread
    for (const decode::Event& event : events) {
        const auto* call = std::get_if<decode::Call>(&event.body);
        if (!call || event.task.tid != tid || event.unfinished) continue;
        const auto use = channel_use(*call);
        if ((kinds >> event.kind & 1) != 0 && use && use->output == output && has_moved(*call)) {
            const bool second = before && is_other_end(event, *call);
            found.push_back({&event, call, second ? before->enter_ns : call->enter_ns});
        }
        before = call;
    }
    return found;
}

/// Leaves those calls that are on a channel of both lists.
void keep_common(std::vector<Call>& puts, std::vector<Call>& takes)
{
    const auto channel = [](const Call& call) { return channel_use(*call.body)->channel; };
    const auto keep = [&](std::vector<Call>& calls, const std::set<ObjectId>& those) {
        std::erase_if(calls, [&](const Call& call) { return !those.contains(channel(call)); });
    };
    std::set<ObjectId> put, taken;
    for (const Call& call : puts) put.insert(channel(call));
    for (const Call& call : takes) taken.insert(channel(call));
    keep(puts, taken);
    keep(takes, put);
}

/// When it left its queue.
std::uint64_t dequeued(const Seen<decode::SignalTake>& seen)
{
    return seen.body->dequeued_ns != 0 ? seen.body->dequeued_ns : seen.event->time_ns;
}

using Takes = Queue<decode::SignalTake, dequeued>;

/// The signal that was generated there, taken before `end_ns`.
std::optional<Message> signal_message(const Seen<decode::SignalGenerate>& sent, Takes& takes,
                                      std::uint64_t end_ns)
{
    const std::uint64_t begin = sent.body->enter_ns;
    const auto taken = takes.only(begin, end_ns);
    if (!taken) return std::nullopt;
    Message message;
    message.begin_ns = begin;
    message.waited_ns = dequeued(*taken);
    // The receiver may take it before the sender has left the send core.
    message.sent_ns = std::min(sent.event->time_ns, message.waited_ns);
    message.end_ns = taken->event->time_ns;
    return message;
}

}  // namespace

std::string_view name(Stretch stretch)
{
    switch (stretch) {
    case Stretch::send: return "send path";
    case Stretch::full: return "full";
    case Stretch::wake: return "taken";
    case Stretch::runqueue: return "woken";
    case Stretch::receive: return "receive path";
    case Stretch::outside: return "outside";
    }
    return "";
}

RoundTrips split_calls(std::span<const decode::Event> events, std::uint64_t kinds,
                       std::uint32_t a, std::uint32_t b, std::uint64_t from_ns,
                       std::uint64_t to_ns)
{
    std::vector<Call> a_puts = moves(events, kinds, a, true);
    std::vector<Call> b_takes = moves(events, kinds, b, false);
    std::vector<Call> b_puts = moves(events, kinds, b, true);
    std::vector<Call> a_takes = moves(events, kinds, a, false);
    keep_common(a_puts, b_takes);
    keep_common(b_puts, a_takes);
    const bool silent = (kinds >> IPCSCOPE_CALL_FUTEX & 1) != 0;
    Queue<decode::Call, recorded<decode::Call>> taken(std::move(b_takes));
    // It may return only after a has gone on: what counts is when it began.
    Queue<decode::Call, entered<decode::Call>> answers(std::move(b_puts));
    Queue<decode::Call, recorded<decode::Call>> home(std::move(a_takes));
    return split(a_puts, from_ns, to_ns,
                 [&](const Call& put, std::uint64_t begin, std::uint64_t end)
                     -> std::optional<std::array<Message, 2>> {
        const auto there = call_message(std::span(&put, 1), taken.within(begin, end), silent);
        const auto back = call_message(answers.within(begin, end), home.within(begin, end),
                                       silent);
        if (!there || !back) return std::nullopt;
        return std::array{*there, *back};
    });
}

RoundTrips split_signals(std::span<const decode::Event> events, std::uint32_t a,
                         std::uint32_t b, std::uint64_t from_ns, std::uint64_t to_ns)
{
    using Send = decode::SignalGenerate;
    const auto to = [](std::uint32_t tid) {
        return [tid](const Send& send) {
            return send.target_tid == tid || send.target_tgid == tid;
        };
    };
    const auto any = [](const decode::SignalTake&) { return true; };
    Queue<Send, entered<Send>> answers(of<Send>(events, b, to(a)));
    Takes there(of<decode::SignalTake>(events, b, any));
    Takes home(of<decode::SignalTake>(events, a, any));
    return split(of<Send>(events, a, to(b)), from_ns, to_ns,
                 [&](const Seen<Send>& send, std::uint64_t begin, std::uint64_t end)
                     -> std::optional<std::array<Message, 2>> {
        const auto answer = answers.only(begin, end);
        if (!answer) return std::nullopt;
        const auto first = signal_message(send, there, answer->body->enter_ns);
        const auto second = signal_message(*answer, home, end);
        if (!first || !second) return std::nullopt;
        return std::array{*first, *second};
    });
}

}  // namespace ipcscope::aggregate
