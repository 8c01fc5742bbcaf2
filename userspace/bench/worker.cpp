// SPDX-License-Identifier: GPL-2.0-only
#include "bench/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "bench/message.hpp"
#include "bench/relax.hpp"
#include "bench/topology.hpp"

namespace ipcscope::bench {
namespace {

/// Even where one takes longer than its slice.
constexpr std::uint64_t kLeastSamples = 8;

unsigned senders(const Case& what)
{
    return what.metric == Metric::throughput ? what.producers : 1;
}

/// Waits until all workers have come here.  They may share a CPU: yield.
void gate(const Job& job, unsigned which)
{
    std::atomic<std::uint32_t>& arrived = job.shared.arrived[which].value;
    arrived.fetch_add(1);
    while (arrived.load() < workers(job.what)) {
        sched_yield();
    }
}

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

/// One end with its messages: stamps what it sends, checks what it receives.
class Sender {
public:
    Sender(Port& port, const Job& job, End end)
        : port_(port), corrupt_(job.corrupt_number), stamp_(job.what.message_bytes),
          message_(stamp_.bytes()),
          witness_(job.shared.witness[static_cast<unsigned>(end)].value)
    {
        stamp_.fill(message_);
    }

    int send(std::uint64_t number)
    {
        if (message_.empty()) {
            witness_.store(number + (number == corrupt_), std::memory_order_release);
        } else {
            stamp_.write(message_, number);
            if (number == corrupt_) {
                message_[message_.size() / 2] ^= std::byte{0x10};
            }
        }
        return port_.send(message_);
    }

private:
    Port& port_;
    std::uint64_t corrupt_;
    Stamp stamp_;
    std::vector<std::byte> message_;
    std::atomic<std::uint64_t>& witness_;
};

class Receiver {
public:
    Receiver(Port& port, const Job& job, End end)
        : port_(port), stamp_(job.what.message_bytes), message_(stamp_.bytes()),
          witness_(job.shared.witness[static_cast<unsigned>(other(end))].value)
    {
    }

    /// The message with that number.
    int receive(std::uint64_t number)
    {
        if (const int error = port_.receive(message_)) {
            return error;
        }
        const bool right = message_.empty()
                               ? witness_.load(std::memory_order_acquire) == number
                               : stamp_.matches(message_, number);
        return right ? 0 : EBADMSG;
    }

    /// Any message that is whole in itself.
    int receive_any(std::uint64_t& number)
    {
        if (const int error = port_.receive(message_)) {
            return error;
        }
        number = Stamp::number(message_);
        return message_.empty() || stamp_.matches(message_, number) ? 0 : EBADMSG;
    }

private:
    Port& port_;
    Stamp stamp_;
    std::vector<std::byte> message_;
    std::atomic<std::uint64_t>& witness_;
};

/// Which phase the next message belongs to.
class Clockwork {
public:
    Clockwork(const Job& job, std::uint64_t now)
        : shared_(job.shared), warm_until_(now + job.warm_up_ns), slice_ns_(job.slice_ns)
    {
    }

    bool measuring() const { return current_ != Phase::warm_up; }

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

/// End a of a round trip, as fast as it goes: a sample ends where the next begins.
int ping(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    std::uint64_t before = monotonic_ns();
    Clockwork clockwork(job, before);
    for (std::uint64_t number = 0;; number++) {
        if (const int error = sender.send(number)) return error;
        if (const int error = receiver.receive(number)) return error;
        const std::uint64_t now = monotonic_ns();
        if (clockwork.measuring()) {
            job.shared.latency_ns.add(now - before);
        }
        report.messages++;
        before = now;
        if (clockwork.done(now)) {
            return 0;
        }
    }
}

/// End a, paced: measured from when a message was due, late or not.
int ping_paced(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    const double period_ns = 1e9 / job.what.rate_hz;
    const std::uint64_t start = monotonic_ns();
    Clockwork clockwork(job, start);
    for (std::uint64_t number = 0;; number++) {
        const std::uint64_t due =
            start + static_cast<std::uint64_t>(period_ns * static_cast<double>(number));
        wait_until(due);
        if (const int error = sender.send(number)) return error;
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

/// End a of a one-way measurement: the answer only keeps one message under way.
int ping_one_way(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    std::atomic<std::uint64_t>& sent_ns = job.shared.sent_ns.value;
    std::uint64_t now = monotonic_ns();
    Clockwork clockwork(job, now);
    for (std::uint64_t number = 0;; number++) {
        sent_ns.store(now, std::memory_order_release);
        if (const int error = sender.send(number)) return error;
        if (const int error = receiver.receive(number)) return error;
        report.messages++;
        now = monotonic_ns();
        if (clockwork.done(now)) {
            return 0;
        }
    }
}

/// End b of all three.
int pong(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    const bool one_way = job.what.metric == Metric::one_way;
    for (std::uint64_t number = 0;; number++) {
        if (const int error = receiver.receive(number)) return error;
        const Phase phase = phase_of(job);
        if (one_way && phase != Phase::warm_up) {
            const std::uint64_t now = monotonic_ns();
            job.shared.latency_ns.add(now - job.shared.sent_ns.value.load());
        }
        report.messages++;
        if (const int error = sender.send(number)) return error;
        if (phase == Phase::last) {
            return 0;
        }
    }
}

/// Both ends by one thread; `group` operations by one pair of clock reads.
int call(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report)
{
    std::uint64_t before = monotonic_ns();
    Clockwork clockwork(job, before);
    for (std::uint64_t number = 0;;) {
        for (std::uint64_t i = 0; i < job.group; i++, number++) {
            if (const int error = sender.send(number)) return error;
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

/// Each producer numbers its own messages; with several, each from a place of
/// its own, so that the sum of all numbers tells whether all came.
int produce(const Job& job, Sender& sender, unsigned index, WorkerReport& report)
{
    const std::uint64_t share = job.messages / job.what.producers;
    const std::uint64_t first = index * share;
    for (std::uint64_t i = 0; i < share; i++) {
        if (const int error = sender.send(first + i)) return error;
        report.messages++;
        report.numbers += first + i;
    }
    return 0;
}

/// The window opens with the warm-up's last message and closes with the last of
/// all; where several receive, with whichever of their last ones comes latest.
void mark_window(const Job& job, std::uint64_t received)
{
    if (received == job.warm_up_messages) {
        job.shared.window_from_ns.value.store(monotonic_ns());
    }
    if (received + job.what.consumers > job.messages) {
        std::atomic<std::uint64_t>& to = job.shared.window_to_ns.value;
        const std::uint64_t now = monotonic_ns();
        std::uint64_t seen = to.load();
        while (seen < now && !to.compare_exchange_weak(seen, now)) {
        }
    }
}

/// The only consumer of the only producer: knows what comes next.
int consume(const Job& job, Receiver& receiver, WorkerReport& report)
{
    const bool bare = job.what.message_bytes == 0;
    for (std::uint64_t number = 0; number < job.messages; number++) {
        std::uint64_t any = 0;
        if (const int error = bare ? receiver.receive_any(any) : receiver.receive(number)) {
            return error;
        }
        report.messages++;
        report.numbers += number;
        mark_window(job, number + 1);
    }
    return 0;
}

/// One of several: claims a message before it waits for one, so that none waits
/// for a message that never comes.
int consume_shared(const Job& job, Receiver& receiver, WorkerReport& report)
{
    while (true) {
        const std::uint64_t ticket = job.shared.tickets.value.fetch_add(1);
        if (ticket >= job.messages) {
            return 0;
        }
        std::uint64_t number = 0;
        if (const int error = receiver.receive_any(number)) return error;
        report.messages++;
        report.numbers += number;
        mark_window(job, ticket + 1);
    }
}

int run_end(const Job& job, unsigned index, Port& port, WorkerReport& report)
{
    const Case& what = job.what;
    const End end = index < senders(what) ? End::a : End::b;
    Sender sender(port, job, end);
    Receiver receiver(port, job, end);
    gate(job, 2);
    if (what.metric == Metric::throughput) {
        if (end == End::a) return produce(job, sender, index, report);
        return what.producers == 1 && what.consumers == 1
                   ? consume(job, receiver, report)
                   : consume_shared(job, receiver, report);
    }
    if (end == End::b) return pong(job, sender, receiver, report);
    if (what.metric == Metric::one_way) return ping_one_way(job, sender, receiver, report);
    return what.rate_hz > 0 ? ping_paced(job, sender, receiver, report)
                            : ping(job, sender, receiver, report);
}

std::uint64_t involuntary_switches()
{
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<std::uint64_t>(usage.ru_nivcsw);
}

int give_up(WorkerReport& report, const Error& error)
{
    fmt::format_to_n(report.said.data(), report.said.size() - 1, "{}", error.message);
    report.error = EINVAL;
    return 1;
}

}  // namespace

Histogram Samples::histogram() const
{
    std::vector<Histogram::Bucket> buckets;
    for (unsigned i = 0; i < counts.size(); i++) {
        if (counts[i]) {
            buckets.push_back({Histogram::low(i), Histogram::high(i), counts[i]});
        }
    }
    return Histogram::restore(buckets, sum, min, max).value_or(Histogram{});
}

unsigned workers(const Case& what)
{
    return what.metric == Metric::call         ? 1
           : what.metric == Metric::throughput ? what.producers + what.consumers
                                               : 2;
}

int work(const Job& job, unsigned index)
{
    WorkerReport& report = job.shared.reports[index];
    const Case& what = job.what;
    const bool sends = index < senders(what);
    const unsigned cpu = sends ? what.placement.cpu_a : what.placement.cpu_b;
    if ((report.error = pin(cpu))) {
        return give_up(report, {Exit::usage, fmt::format("CPU {}: {}", cpu,
                                                         std::strerror(report.error))});
    }
    report.self = {getpid(), static_cast<pid_t>(syscall(SYS_gettid))};
    gate(job, 0);
    const unsigned peer = what.metric == Metric::call ? 0 : sends ? senders(what) : 0;
    const Peer other_worker = job.shared.reports[peer].self;
    auto port = job.channel.port(sends ? End::a : End::b, other_worker);
    if (!port) {
        return give_up(report, port.error());
    }
    const std::uint64_t before = involuntary_switches();
    if (what.metric == Metric::call) {
        auto other_port = job.channel.port(End::b, other_worker);
        if (!other_port) {
            return give_up(report, other_port.error());
        }
        Sender sender(**port, job, End::a);
        Receiver receiver(**other_port, job, End::b);
        report.error = call(job, sender, receiver, report);
    } else {
        gate(job, 1);
        report.error = run_end(job, index, **port, report);
    }
    report.involuntary_switches = involuntary_switches() - before;
    return report.error == 0 ? 0 : 1;
}

namespace {

/// Gives back what it was given.
class NullPort final : public Port {
public:
    int send(std::span<const std::byte> message) override
    {
        message_ = message;
        return 0;
    }
    int receive(std::span<std::byte> message) override
    {
        std::copy(message_.begin(), message_.end(), message.begin());
        return 0;
    }

private:
    std::span<const std::byte> message_;
};

class NullChannel final : public Channel {
public:
    Result<std::unique_ptr<Port>> port(End, const Peer&) override
    {
        return std::make_unique<NullPort>();
    }
};

/// The lowest of several tries: what it costs where nothing disturbs.
template <typename Try>
double lowest(Try one)
{
    double best = one();
    for (int i = 0; i < 8; i++) {
        best = std::min(best, one());
    }
    return best;
}

}  // namespace

double harness_cost_ns(std::size_t message_bytes)
{
    Case what;
    what.message_bytes = message_bytes;
    NullChannel channel;
    auto shared = std::make_unique<Shared>();
    const Job job{.what = what, .channel = channel, .shared = *shared, .slice_ns = 1'000'000};
    NullPort port;
    Sender sender(port, job, End::a);
    Receiver receiver(port, job, End::b);
    return lowest([&] {
        WorkerReport report;
        shared->phase.value = 0;
        const std::uint64_t before = monotonic_ns();
        ping(job, sender, receiver, report);
        return static_cast<double>(monotonic_ns() - before) /
               static_cast<double>(report.messages);
    });
}

double clock_cost_ns()
{
    constexpr int kReads = 20'000;
    return lowest([] {
        const std::uint64_t before = monotonic_ns();
        for (int i = 1; i < kReads; i++) {
            static_cast<void>(monotonic_ns());
        }
        return static_cast<double>(monotonic_ns() - before) / kReads;
    });
}

}  // namespace ipcscope::bench
