// SPDX-License-Identifier: GPL-2.0-only
#include "bench/latency.hpp"

#include <time.h>

#include "base/clock.hpp"
#include "bench/relax.hpp"

namespace ipcscope::bench {
namespace {

/// Even where one takes longer than its slice.
constexpr std::uint64_t kLeastSamples = 8;

/// Waits for a time with nobody's slack in it: sleeps to a little before, then
/// stays awake.  Not by yielding: who gets the CPU then may keep it for long.
void wait_until(std::uint64_t time_ns)
{
    constexpr std::uint64_t kEarly = 100'000;
    const std::uint64_t now = monotonic_ns();
    if (time_ns > now + 2 * kEarly) {
        const std::uint64_t wake = time_ns - kEarly;
        const timespec at{static_cast<time_t>(wake / 1'000'000'000),
                          static_cast<long>(wake % 1'000'000'000)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
    }
    while (monotonic_ns() < time_ns) {
        relax();
    }
}

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

Phase phase_of(const Job& job)
{
    return static_cast<Phase>(job.shared.phase.value.load(std::memory_order_acquire));
}

}  // namespace

int ping(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
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
            job.shared.latency_ns.add((now - before) / job.group);
        }
        report.messages = number;
        before = now;
        if (clockwork.done(now)) {
            return 0;
        }
    }
}

int ping_spinning(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    Samples& samples = job.shared.latency_ns;
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
            samples.add((now - before) / job.group);
        }
        report.messages = number + 1;
        before = now;
        if (error) return error;
        if (const int wrong = receiver.check(number)) return wrong;
        if (clockwork.done(now)) return 0;
        sender.stage(number + 2);
    }
}

int ping_paced(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    const double period_ns = 1e9 / job.what.rate_hz;
    const std::uint64_t start = monotonic_ns();
    Clockwork clockwork(job, start);
    for (std::uint64_t number = 0;; number++) {
        const std::uint64_t due =
            start + static_cast<std::uint64_t>(period_ns * static_cast<double>(number));
        sender.stage(number);
        wait_until(due);
        if (const int error = sender.send()) return error;
        if (const int error = receiver.receive(number)) return error;
        const std::uint64_t now = monotonic_ns();
        if (clockwork.measuring()) {
            job.shared.latency_ns.add(now - due);
        }
        report.messages++;
        if (clockwork.done(now)) {
            return 0;
        }
    }
}

int ping_one_way(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    sender.stage(0);
    std::uint64_t now = monotonic_ns();
    Clockwork clockwork(job, now);
    for (std::uint64_t number = 0;; number++) {
        job.shared.sent_ns.value.store(now, std::memory_order_release);
        if (const int error = sender.send()) return error;
        sender.stage(number + 1);
        if (const int error = receiver.receive(number)) return error;
        report.messages++;
        now = monotonic_ns();
        if (clockwork.done(now)) {
            return 0;
        }
    }
}

int pong(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    const bool one_way = job.what.metric == Metric::one_way;
    for (std::uint64_t number = 0;; number++) {
        // The answer is ready before it is asked for, and the question is looked at
        // after it has been answered: neither is a part of the other's round trip.
        sender.stage(number);
        if (const int error = receiver.take(number)) return error;
        const Phase phase = phase_of(job);
        if (one_way && phase != Phase::warm_up) {
            const std::uint64_t now = monotonic_ns();
            job.shared.latency_ns.add(now - job.shared.sent_ns.value.load());
        }
        report.messages++;
        if (const int error = sender.send()) return error;
        if (const int error = receiver.check(number)) return error;
        if (phase == Phase::last && number % job.group == job.group - 1) {
            return 0;
        }
    }
}

}  // namespace ipcscope::bench
