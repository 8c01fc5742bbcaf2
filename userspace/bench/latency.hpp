// SPDX-License-Identifier: GPL-2.0-only
// The loops that measure latency.  Each runs until PhaseTimer ends the last phase and
// returns 0 or an errno.
//
// The common ones are templates of the port, so that its calls are inlined: after a
// context switch the return stack buffer is invalid, and each return from a function
// that was entered before is mispredicted.  This is measurable in a round trip of 2 µs.
#pragma once

#include <utility>

#include "base/clock.hpp"
#include "bench/ends.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// Taken even if they need more time than the slice.
inline constexpr std::uint64_t kMinSamples = 8;

/// Switches between the phases of a round: warm-up, measurement, last message.
class PhaseTimer {
public:
    PhaseTimer(const Job& job, std::uint64_t now)
        : shared_(job.shared), warm_until_(now + job.warm_up_ns), slice_ns_(job.slice_ns)
    {
    }

    bool measuring() const { return current_ != Phase::warm_up; }
    bool last() const { return current_ == Phase::last; }

    /// Called after each message.  @return whether it was the last one
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
        } else if (current_ == Phase::measure && ++samples_ >= kMinSamples &&
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

/// Counts a loop's messages and samples.  Its sums lie in the loop's stack frame (see
/// Buffer) and are copied to shared memory when the loop ends.
class SampleRecorder {
public:
    SampleRecorder(const Job& job, WorkerReport& report)
        : samples_(job.shared.latency), report_(report), group_(job.group),
          ticks_per_ns_(job.ticks_per_ns())
    {
    }
    SampleRecorder(const SampleRecorder&) = delete;
    SampleRecorder& operator=(const SampleRecorder&) = delete;
    ~SampleRecorder()
    {
        report_.messages = messages;
        if (min_ <= max_) {
            samples_.sum = sum_;
            samples_.min = min_;
            samples_.max = max_;
        }
    }

    /// @param ns  duration of a group
    void sample(std::uint64_t ns)
    {
        // No division in the measured path for a group of one.
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

/// End a of a round trip, or both ends in one thread, unpaced.  A sample is the mean of
/// a group; it ends at the clock read at which the next one begins.
template <typename P>
[[gnu::flatten]] int ping(const Job& job, SenderOf<P>& sender, ReceiverOf<P>& receiver,
                         WorkerReport& report)
{
    SampleRecorder recorder(job, report);
    sender.prepare(0);
    std::uint64_t before = monotonic_ns();
    PhaseTimer phase_timer(job, before);
    for (std::uint64_t number = 0;;) {
        for (const std::uint64_t end = number + job.group; number < end; number++) {
            if (const int error = sender.send()) return error;
            sender.prepare(number + 1);
            if (const int error = receiver.receive(number)) return error;
        }
        const std::uint64_t now = monotonic_ns();
        if (phase_timer.measuring()) {
            recorder.sample(now - before);
        }
        recorder.messages = number;
        before = now;
        if (phase_timer.done(now)) {
            return 0;
        }
    }
}

/// The same between spinning ends, in groups of two or more.  The next message is sent
/// before the clock is read and the last message is checked: the other end polls the
/// cache line meanwhile, which would delay the send.
template <typename P>
[[gnu::flatten]] int ping_spinning(const Job& job, SenderOf<P>& sender, ReceiverOf<P>& receiver,
                         WorkerReport& report)
{
    SampleRecorder recorder(job, report);
    sender.prepare(0);
    if (const int error = sender.send()) return error;
    sender.prepare(1);
    std::uint64_t before = monotonic_ns();
    PhaseTimer phase_timer(job, before);
    for (std::uint64_t number = 0;; number++) {
        // The first message of the group is already sent.  End b reads the phase with
        // the group's last message, long after end a has set it.
        for (const std::uint64_t last = number + job.group - 1; number < last; number++) {
            if (const int error = receiver.receive_unchecked(number)) return error;
            if (const int error = sender.send()) return error;
            if (const int error = receiver.check(number)) return error;
            sender.prepare(number + 2);
        }
        if (const int error = receiver.receive_unchecked(number)) return error;
        const bool last = phase_timer.last();
        const int error = last ? 0 : sender.send();
        const std::uint64_t now = monotonic_ns();
        if (phase_timer.measuring()) {
            recorder.sample(now - before);
        }
        recorder.messages = number + 1;
        before = now;
        if (error) return error;
        if (const int wrong = receiver.check(number)) return wrong;
        if (phase_timer.done(now)) return 0;
        sender.prepare(number + 2);
    }
}

/// End b of all.
template <typename P>
[[gnu::flatten]] int pong(const Job& job, SenderOf<P>& sender, ReceiverOf<P>& receiver,
                         WorkerReport& report)
{
    SampleRecorder recorder(job, report);
    const bool one_way = job.what.metric == Metric::one_way;
    for (std::uint64_t number = 0;; number++) {
        // The answer is prepared before the message arrives, and the message is checked
        // after the answer is sent: neither is part of the measured round trip.
        sender.prepare(number);
        if (const int error = receiver.receive_unchecked(number)) return error;
        const Phase phase = phase_of(job);
        if (one_way && phase != Phase::warm_up) {
            const std::uint64_t now = monotonic_ns();
            recorder.sample(now - job.shared.sent_ns.value.load());
        }
        recorder.messages++;
        if (const int error = sender.send()) return error;
        if (const int error = receiver.check(number)) return error;
        if (phase == Phase::last && number % job.group == job.group - 1) {
            return 0;
        }
    }
}

/// End a, paced: a sample starts at the message's intended start, even if it is sent
/// late.
int ping_paced(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);
/// End a of a one-way measurement: the answer limits it to one message in flight.
int ping_one_way(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);

/// The loop of one end of a round trip; end b runs it for paced and one-way cases too.
template <typename P>
int run_round_trips(const Job& job, End end, P& port, WorkerReport& report)
{
    SenderOf<P> sender(port, job, end);
    ReceiverOf<P> receiver(port, job, end);
    if (end == End::b) return pong(job, sender, receiver, report);
    return job.what.waiting == WaitMode::spin && job.group > 1
               ? ping_spinning(job, sender, receiver, report)
               : ping(job, sender, receiver, report);
}

/// Base of the mechanisms' ports: instantiates the loops for the derived class.
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
