// SPDX-License-Identifier: GPL-2.0-only
#include "bench/latency.hpp"

#include <time.h>

#include "bench/cpu_relax.hpp"

namespace ipcscope::bench {
namespace {

/// Waits without timer slack: sleeps until shortly before the time, then busy-waits.
/// It does not yield, since another task may then keep the CPU for long.
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
        cpu_relax();
    }
}

}  // namespace

int Port::round_trips(const Job& job, End end, WorkerReport& report)
{
    return run_round_trips(job, end, *this, report);
}

int ping_paced(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    const double period_ns = 1e9 / job.what.rate_hz;
    const std::uint64_t start = monotonic_ns();
    SampleRecorder recorder(job, report);
    PhaseTimer phase_timer(job, start);
    for (std::uint64_t number = 0;; number++) {
        const std::uint64_t due =
            start + static_cast<std::uint64_t>(period_ns * static_cast<double>(number));
        sender.prepare(number);
        wait_until(due);
        if (const int error = sender.send()) return error;
        if (const int error = receiver.receive(number)) return error;
        const std::uint64_t now = monotonic_ns();
        if (phase_timer.measuring()) {
            recorder.sample(now - due);
        }
        recorder.messages++;
        if (phase_timer.done(now)) {
            return 0;
        }
    }
}

int ping_one_way(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    SampleRecorder recorder(job, report);
    sender.prepare(0);
    std::uint64_t now = monotonic_ns();
    PhaseTimer phase_timer(job, now);
    for (std::uint64_t number = 0;; number++) {
        job.shared.sent_ns.value.store(now, std::memory_order_release);
        if (const int error = sender.send()) return error;
        sender.prepare(number + 1);
        if (const int error = receiver.receive(number)) return error;
        recorder.messages++;
        now = monotonic_ns();
        if (phase_timer.done(now)) {
            return 0;
        }
    }
}

}  // namespace ipcscope::bench
