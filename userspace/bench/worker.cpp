// SPDX-License-Identifier: GPL-2.0-only
#include "bench/worker.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "bench/latency.hpp"
#include "bench/topology.hpp"

namespace ipcscope::bench {
namespace {

unsigned senders(const Case& what)
{
    return what.metric == Metric::throughput ? what.producers : 1;
}

/// Waits until all workers have arrived.  It yields, since workers may share a CPU.
void wait_at_barrier(const Job& job, unsigned which)
{
    std::atomic<std::uint32_t>& arrived = job.shared.arrived[which].value;
    arrived.fetch_add(1);
    while (arrived.load() < workers(job.what)) {
        sched_yield();
    }
}

/// Each producer numbers its messages; several producers use disjoint ranges, so that
/// the sum of all numbers shows whether every message arrived.
int produce(const Job& job, Sender& sender, unsigned index, WorkerReport& report)
{
    const std::uint64_t share = job.messages / job.what.producers;
    const std::uint64_t first = index * share;
    for (std::uint64_t i = 0; i < share; i++) {
        sender.prepare(first + i);
        if (const int error = sender.send()) return error;
        report.messages++;
        report.numbers += first + i;
    }
    return 0;
}

/// The window opens with the last message of the warm-up and closes with the last
/// message; with several consumers, with the latest of their last messages.
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

/// The only consumer of the only producer: the next number is known.
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

/// One of several consumers.  It claims a ticket before it receives, so that no consumer
/// waits for a message that was never sent.
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
    const bool special = what.metric == Metric::one_way || what.rate_hz > 0;
    if (what.metric != Metric::throughput && (end == End::b || !special)) {
        wait_at_barrier(job, 2);
        return port.round_trips(job, end, report);   // creates its own sender and receiver
    }
    Sender sender(port, job, end);
    Receiver receiver(port, job, end);
    wait_at_barrier(job, 2);
    if (what.metric == Metric::throughput) {
        if (end == End::a) return produce(job, sender, index, report);
        return what.producers == 1 && what.consumers == 1
                   ? consume(job, receiver, report)
                   : consume_shared(job, receiver, report);
    }
    return what.metric == Metric::one_way ? ping_one_way(job, sender, receiver, report)
                                          : ping_paced(job, sender, receiver, report);
}

std::uint64_t involuntary_switches()
{
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<std::uint64_t>(usage.ru_nivcsw);
}

int report_error(WorkerReport& report, const Error& error)
{
    fmt::format_to_n(report.error_text.data(), report.error_text.size() - 1, "{}",
                     error.message);
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

int run_worker(const Job& job, unsigned index)
{
    WorkerReport& report = job.shared.reports[index];
    const Case& what = job.what;
    const bool sends = index < senders(what);
    const unsigned cpu = sends ? what.placement.cpu_a : what.placement.cpu_b;
    if ((report.error = pin(cpu))) {
        return report_error(report, {Exit::usage, fmt::format("CPU {}: {}", cpu,
                                                         std::strerror(report.error))});
    }
    report.self = {getpid(), static_cast<pid_t>(syscall(SYS_gettid))};
    wait_at_barrier(job, 0);
    const unsigned peer = what.metric == Metric::call ? 0 : sends ? senders(what) : 0;
    const Peer other_worker = job.shared.reports[peer].self;
    auto port = job.channel.port(sends ? End::a : End::b, other_worker);
    if (!port) {
        return report_error(report, port.error());
    }
    const std::uint64_t before = involuntary_switches();
    if (what.metric == Metric::call) {
        auto other_port = job.channel.port(End::b, other_worker);
        if (!other_port) {
            return report_error(report, other_port.error());
        }
        Sender sender(**port, job, End::a);
        Receiver receiver(**other_port, job, End::b);
        report.error = ping(job, sender, receiver, report);
    } else {
        wait_at_barrier(job, 1);
        report.error = run_end(job, index, **port, report);
    }
    report.involuntary_switches = involuntary_switches() - before;
    return report.error == 0 ? 0 : 1;
}

}  // namespace ipcscope::bench
