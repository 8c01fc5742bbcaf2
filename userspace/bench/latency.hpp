// SPDX-License-Identifier: GPL-2.0-only
// The loops that latencies are measured in.  Each runs until its phase says that
// a message was the last; returns 0 or an errno.
//
// The usual ones are templates of the port: a task that comes back from another
// has lost the processor's memory of who called what, so that each return from a
// function entered before is mispredicted.  In a round trip of 2 µs it shows.
#pragma once

#include <utility>

#include "base/clock.hpp"
#include "bench/ends.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// Even where one takes longer than its slice.
inline constexpr std::uint64_t kLeastSamples = 8;

/// Which phase the next message belongs to.
class Clockwork {
public:
    Clockwork(const Job& job, std::uint64_t now)
        : shared_(job.shared), warm_until_(now + job.warm_up_ns), slice_ns_(job.slice_ns)
    {
    }

    bool measuring() const { return current_ != Phase::warm_up; }
    bool last() const { return current_ == Phase::last; }

    /// After a message: whether it was the last.
    bool done(std::uint64_t now)
    {
        if (current_ == Phase::last) {
            shared_.window_to_ns.value.store(now);
            return true;
        }
        advance(now);
        return false;
    }

private:
    void advance(std::uint64_t now)
    {
        if (current_ == Phase::warm_up && now >= warm_until_) {
            until_ = now + slice_ns_;
            shared_.window_from_ns.value.store(now);
            set(Phase::measure);
        } else if (current_ == Phase::measure && ++samples_ >= kLeastSamples &&
                   now >= until_) {
            set(Phase::last);
        }
    }

    void set(Phase phase)
    {
        current_ = phase;
        shared_.phase.value.store(static_cast<std::uint32_t>(phase),
                                  std::memory_order_release);
    }

    Shared& shared_;
    Phase current_ = Phase::warm_up;
    std::uint64_t warm_until_;
    std::uint64_t slice_ns_;
    std::uint64_t until_ = 0;
    std::uint64_t samples_ = 0;
};

/// What a loop counts: in its frame, but for the counts of the samples (see
/// Buffer); told when the loop ends.
class Tally {
public:
    Tally(const Job& job, WorkerReport& report)
        : samples_(job.shared.latency), report_(report), group_(job.group),
          ticks_per_ns_(job.ticks_per_ns())
    {
    }
    Tally(const Tally&) = delete;
    Tally& operator=(const Tally&) = delete;
    ~Tally()
    {
        report_.messages = messages;
        if (min_ <= max_) {
            samples_.sum = sum_;
            samples_.min = min_;
            samples_.max = max_;
        }
    }

    /// @param ns  of a group
    void sample(std::uint64_t ns)
    {
        // A group of one has no division in its way.
        const std::uint64_t value = group_ == 1 ? ns : ns * ticks_per_ns_ / group_;
        samples_.counts[Histogram::index(value)]++;
        sum_ += value;
        min_ = value < min_ ? value : min_;
        max_ = value > max_ ? value : max_;
    }

    std::uint64_t messages = 0;

private:
    Samples& samples_;
    WorkerReport& report_;
    std::uint64_t group_;
    std::uint64_t ticks_per_ns_;
    std::uint64_t sum_ = 0;
    std::uint64_t min_ = UINT64_MAX;
    std::uint64_t max_ = 0;
};

inline Phase phase_of(const Job& job)
{
    return static_cast<Phase>(job.shared.phase.value.load(std::memory_order_acquire));
}

/// End a of a round trip, or both ends in one thread, as fast as it goes: a sample
/// is the mean of a group, and ends at the clock read at which the next begins.
template <typename P>
[[gnu::flatten]] int ping(const Job& job, SenderOf<P>& sender, ReceiverOf<P>& receiver,
                         WorkerReport& report)
{
    Tally tally(job, report);
    sender.stage(0);
    std::uint64_t before = monotonic_ns();
    Clockwork clockwork(job, before);
    for (std::uint64_t number = 0;;) {
        for (const std::uint64_t end = number + job.group; number < end; number++) {
            if (const int error = sender.send()) return error;
            sender.stage(number + 1);
            if (const int error = receiver.receive(number)) return error;
        }
        const std::uint64_t now = monotonic_ns();
        if (clockwork.measuring()) {
            tally.sample(now - before);
        }
        tally.messages = number;
        before = now;
        if (clockwork.done(now)) {
            return 0;
        }
    }
}

/// The same between spinning ends, in groups of two or more: the next message is
/// sent before the clock is read and the last one checked, for meanwhile the other
/// end would ask for the cache line again and again, and make us wait for it.
template <typename P>
[[gnu::flatten]] int ping_spinning(const Job& job, SenderOf<P>& sender, ReceiverOf<P>& receiver,
                         WorkerReport& report)
{
    Tally tally(job, report);
    sender.stage(0);
    if (const int error = sender.send()) return error;
    sender.stage(1);
    std::uint64_t before = monotonic_ns();
    Clockwork clockwork(job, before);
    for (std::uint64_t number = 0;; number++) {
        // The first of the group is under way.  b looks whether the group is the
        // last one with the group's last message, long after it has been decided.
        for (const std::uint64_t last = number + job.group - 1; number < last; number++) {
            if (const int error = receiver.take(number)) return error;
            if (const int error = sender.send()) return error;
            if (const int error = receiver.check(number)) return error;
            sender.stage(number + 2);
        }
        if (const int error = receiver.take(number)) return error;
        const bool last = clockwork.last();
        const int error = last ? 0 : sender.send();
        const std::uint64_t now = monotonic_ns();
        if (clockwork.measuring()) {
            tally.sample(now - before);
        }
        tally.messages = number + 1;
        before = now;
        if (error) return error;
        if (const int wrong = receiver.check(number)) return wrong;
        if (clockwork.done(now)) return 0;
        sender.stage(number + 2);
    }
}

/// End b of all.
template <typename P>
[[gnu::flatten]] int pong(const Job& job, SenderOf<P>& sender, ReceiverOf<P>& receiver,
                         WorkerReport& report)
{
    Tally tally(job, report);
    const bool one_way = job.what.metric == Metric::one_way;
    for (std::uint64_t number = 0;; number++) {
        // The answer is ready before it is asked for, and the question is looked at
        // after it has been answered: neither is a part of the other's round trip.
        sender.stage(number);
        if (const int error = receiver.take(number)) return error;
        const Phase phase = phase_of(job);
        if (one_way && phase != Phase::warm_up) {
            const std::uint64_t now = monotonic_ns();
            tally.sample(now - job.shared.sent_ns.value.load());
        }
        tally.messages++;
        if (const int error = sender.send()) return error;
        if (const int error = receiver.check(number)) return error;
        if (phase == Phase::last && number % job.group == job.group - 1) {
            return 0;
        }
    }
}

/// End a, paced: measured from when a message was due, late or not.
int ping_paced(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);
/// End a of a one-way measurement: the answer only keeps one message under way.
int ping_one_way(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);

/// The loop of an end of a round trip; at end b also of what only end a paces.
template <typename P>
int run_round_trips(const Job& job, End end, P& port, WorkerReport& report)
{
    SenderOf<P> sender(port, job, end);
    ReceiverOf<P> receiver(port, job, end);
    if (end == End::b) return pong(job, sender, receiver, report);
    return job.what.waiting == Waiting::spin && job.group > 1
               ? ping_spinning(job, sender, receiver, report)
               : ping(job, sender, receiver, report);
}

/// What a mechanism's port derives from: the loops, compiled for it.
template <typename Derived>
class LoopedPort : public Port {
public:
    int round_trips(const Job& job, End end, WorkerReport& report) final
    {
        Derived port(std::move(static_cast<Derived&>(*this)));   // into this frame
        return run_round_trips(job, end, port, report);
    }
};

}  // namespace ipcscope::bench
