// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/round_trips.hpp"

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

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
};

template <typename Body, typename Wanted>
std::vector<Seen<Body>> of(std::span<const decode::Event> events, std::uint32_t tid,
                           Wanted wanted)
{
    std::vector<Seen<Body>> found;
    for (const decode::Event& event : events) {
        const Body* body = std::get_if<Body>(&event.body);
        if (body && event.task.tid == tid && !event.unfinished && wanted(*body)) {
            found.push_back({&event, body});
        }
    }
    return found;
}

template <typename Body>
std::uint64_t entered(const Seen<Body>& seen) { return seen.body->enter_ns; }
template <typename Body>
std::uint64_t recorded(const Seen<Body>& seen) { return seen.event->time_ns; }

/// A list that is gone through once, from the oldest on.
template <typename Body, std::uint64_t (*kTime)(const Seen<Body>&)>
class Queue {
public:
    explicit Queue(std::vector<Seen<Body>> all) : all_(std::move(all)) {}

    /// The one whose time is in [from, to); nothing where there are more or none.
    std::optional<Seen<Body>> only(std::uint64_t from_ns, std::uint64_t to_ns)
    {
        while (at_ < all_.size() && kTime(all_[at_]) < from_ns) at_++;
        const std::size_t first = at_;
        while (at_ < all_.size() && kTime(all_[at_]) < to_ns) at_++;
        return at_ == first + 1 ? std::optional(all_[first]) : std::nullopt;
    }

private:
    std::vector<Seen<Body>> all_;
    std::size_t at_ = 0;
};

/// Cuts the time from `from_ns` to `to_ns` where a enters a call, so that nothing
/// of it belongs to no round trip; `messages` finds the two of each.
template <typename Call, typename Messages>
RoundTrips split(const std::vector<Seen<Call>>& calls, std::uint64_t from_ns,
                 std::uint64_t to_ns, Messages messages)
{
    RoundTrips trips;
    const auto inside = [&](const Seen<Call>& call) {
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

Message pipe_message(const Seen<decode::Call>& write, const Seen<decode::Call>& read)
{
    Message message;
    message.begin_ns = write.body->enter_ns;
    message.full_ns = write.body->blocked_ns;
    message.receiver_ns = read.body->enter_ns;
    message.end_ns = read.event->time_ns;
    const std::uint64_t woken = woken_ns(read);
    if (woken >= message.begin_ns && woken <= message.end_ns && woken != 0) {
        message.sent_ns = woken;
        message.waits_ns = read.body->runnable_ns;
    } else {
        // It did not sleep: it found the message when it came.
        message.sent_ns = write.event->time_ns;
    }
    return message;
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

RoundTrips split_pipe(std::span<const decode::Event> events, std::uint32_t a,
                      std::uint32_t b, std::uint64_t from_ns, std::uint64_t to_ns)
{
    using Op = decode::Call;
    const auto moved = [](const Op& op, decode::Op what) {
        return op.header.kind == IPCSCOPE_CALL_PIPE && decode::op_of(op) == what && op.ret > 0;
    };
    const auto writes = [&](const Op& op) { return moved(op, decode::Op::write); };
    const auto reads = [&](const Op& op) { return moved(op, decode::Op::read); };
    Queue<Op, recorded<Op>> taken(of<Op>(events, b, reads));
    // It may return only after a has gone on: what counts is when it began.
    Queue<Op, entered<Op>> answers(of<Op>(events, b, writes));
    Queue<Op, recorded<Op>> home(of<Op>(events, a, reads));
    return split(of<Op>(events, a, writes), from_ns, to_ns,
                 [&](const Seen<Op>& write, std::uint64_t begin, std::uint64_t end)
                     -> std::optional<std::array<Message, 2>> {
        const auto read = taken.only(begin, end);
        const auto answer = answers.only(begin, end);
        const auto answered = home.only(begin, end);
        if (!read || !answer || !answered) return std::nullopt;
        return std::array{pipe_message(write, *read), pipe_message(*answer, *answered)};
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
