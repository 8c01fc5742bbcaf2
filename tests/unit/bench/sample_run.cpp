// SPDX-License-Identifier: GPL-2.0-only
#include "sample_run.hpp"

#include <cmath>

#include "bench/stats.hpp"

namespace ipcscope::bench::sample {
namespace {

constexpr std::size_t kMiB = 1 << 20;

Result<std::unique_ptr<Channel>> none(const Setup&) { return fail(Exit::kernel, "a sample"); }

constexpr Mechanism kMechanisms[] = {
    {.name = "shm-spin", .title = "shared memory, spinning", .family = Family::shared_memory,
     .min_message = 1, .max_message = kMiB, .spins = true, .blocks = false, .create = none},
    {.name = "shm-futex", .title = "shared memory, futex", .family = Family::shared_memory,
     .min_message = 1, .max_message = kMiB, .create = none},
    {.name = "eventfd", .title = "eventfd, counter", .family = Family::eventfd, .spins = true,
     .create = none},
    {.name = "futex", .title = "futex, bare", .family = Family::futex, .create = none},
    {.name = "pipe", .title = "pipe", .family = Family::pipe, .min_message = 1,
     .max_message = kMiB, .throughput = true, .mpmc = true, .create = none},
    {.name = "pipe-packet", .title = "pipe, packets", .family = Family::pipe, .min_message = 1,
     .max_message = 4096, .throughput = true, .create = none},
    {.name = "unix-stream", .title = "Unix socket, stream", .family = Family::unix_socket,
     .min_message = 1, .max_message = kMiB, .spins = true, .throughput = true, .create = none},
    {.name = "tcp-loopback", .title = "TCP over loopback", .family = Family::tcp,
     .min_message = 1, .max_message = kMiB, .throughput = true, .create = none},
    {.name = "posix-mq", .title = "POSIX message queue", .family = Family::message_queue,
     .min_message = 1, .max_message = 8192, .default_max = 64, .throughput = true,
     .create = none},
    {.name = "signal-queue", .title = "sigqueue", .family = Family::signal, .min_message = 8,
     .max_message = 8, .threads = false, .create = none},
    {.name = "signal-pair", .title = "two signals", .family = Family::signal, .threads = false,
     .single_thread = false, .create = none},
};

std::vector<double> about(double value)
{
    return {value, value * 1.01, value * 0.99, value * 1.004, value * 0.998};
}

Case call(std::string mechanism, std::size_t bytes)
{
    Case one = round_trip(std::move(mechanism), bytes, Distance::same_cpu);
    one.metric = Metric::call;
    return one;
}

void add_latencies(Run& run, const char* name, std::size_t bytes, double call_ns,
                   double same_ns, double apart_ns)
{
    const bool spins = same_ns == 0;
    const auto add = [&](Case what, double ns) {
        what.waiting = spins ? WaitMode::spin : WaitMode::block;
        if (ns != 0) run.results.push_back(result(what, about(ns)));
    };
    add(call(name, bytes), call_ns);
    add(round_trip(name, bytes, Distance::same_cpu), same_ns);
    add(round_trip(name, bytes, Distance::other_cpu), apart_ns);
}

Environment machine()
{
    Environment e;
    e.tool_version = "0.1.0";
    e.hostname = "demo";
    e.kernel = "6.1.0-13-amd64";
    e.kernel_version = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.55-1";
    e.machine = "x86_64";
    e.cpu_model = "A Model of CPU @ 2.50GHz";
    e.cpus_online = 4;
    e.cpus_allowed = {0, 1, 2, 3};
    e.governor = "none";
    e.smt = "off";
    e.mitigations = {"spectre_v2: Mitigation: Retpolines", "meltdown: Mitigation: PTI"};
    e.hypervisor = "KVM";
    e.clocksource = "tsc";
    e.preemption = "voluntary";
    e.load_average = 0.25;
    e.clock_cost_ns = 18.25;
    e.harness_cost_ns = 24.5;
    e.started_unix_ns = 1'760'000'000'123'456'789;
    return e;
}

}  // namespace

std::span<const Mechanism> mechanisms() { return kMechanisms; }

Case round_trip(std::string mechanism, std::size_t bytes, Distance distance)
{
    Case one;
    one.mechanism = std::move(mechanism);
    one.message_bytes = bytes;
    one.placement = {0, distance == Distance::same_cpu ? 0u : 1u, distance};
    return one;
}

Case throughput(std::string mechanism, std::size_t bytes, Distance distance)
{
    Case one = round_trip(std::move(mechanism), bytes, distance);
    one.metric = Metric::throughput;
    return one;
}

CaseResult result(Case what, const std::vector<double>& values)
{
    CaseResult result;
    result.what = std::move(what);
    for (const double value : values) {
        Round round;
        round.value = value;
        round.messages = 1000;
        round.involuntary_switches = 3;
        if (result.higher_is_better()) {
            round.wall_ns = static_cast<std::uint64_t>(1e12 / value);
            result.rounds.push_back(round);
            continue;
        }
        result.rounds.push_back(round);
        const auto median = static_cast<std::uint64_t>(value);
        for (int i = 0; i < 50; i++) result.latency_ns.add(median);
        result.latency_ns.add(median * 3);
    }
    result.estimate = estimate(values);
    return result;
}

CaseResult failed(Case what, std::string why)
{
    CaseResult result;
    result.what = std::move(what);
    result.failed = std::move(why);
    return result;
}

Run whole()
{
    Run run;
    run.environment = machine();
    run.elapsed_s = 9.75;
    add_latencies(run, "pipe", 1, 299, 1960, 62'400);
    add_latencies(run, "shm-spin", 64, 20, 0, 315);
    add_latencies(run, "shm-futex", 64, 163, 1820, 66'800);
    add_latencies(run, "eventfd", 0, 262, 1970, 35'200);
    add_latencies(run, "futex", 0, 150, 1820, 66'800);
    add_latencies(run, "unix-stream", 1, 611, 3190, 74'000);
    add_latencies(run, "tcp-loopback", 1, 2'050, 5'760, 51'200);
    add_latencies(run, "signal-queue", 8, 750, 2990, 69'700);
    run.results.push_back(failed(
        round_trip("posix-mq", 1, Distance::same_cpu),
        "mq_open: Too many open files: raise fs.mqueue.queues_max to 300 at least"));
    run.results.push_back(failed(
        round_trip("posix-mq", 1, Distance::other_cpu),
        "mq_open: Too many open files: raise fs.mqueue.queues_max to 300 at least"));
    for (const Distance distance : {Distance::same_cpu, Distance::other_cpu}) {
        const double factor = distance == Distance::same_cpu ? 1 : 0.4;
        run.results.push_back(result(throughput("pipe", 64, distance), about(3.6e6 * factor)));
        run.results.push_back(
            result(throughput("pipe", 65'536, distance), about(146'000 * factor)));
        run.results.push_back(
            result(throughput("unix-stream", 65'536, distance), about(190'000 * factor)));
    }
    Case many = throughput("pipe", 64, Distance::other_cpu);
    many.producers = 4;
    many.consumers = 2;
    run.results.push_back(result(many, about(1.1e6)));
    Case one_way = round_trip("pipe", 1, Distance::other_cpu);
    one_way.metric = Metric::one_way;
    one_way.rate_hz = 1000;
    run.results.push_back(result(one_way, {30'000, 40'000, 31'000, 29'000, 90'000}));
    run.results.back().rounds[4].noisy = true;
    run.warnings = {"the machine was not quiet: other programs used 12 % of its CPUs"};
    return run;
}

Run matrix()
{
    Run run;
    run.environment = machine();
    for (unsigned a = 0; a < 4; a++) {
        for (unsigned b = a; b < 4; b++) {
            Case what = round_trip("pipe", 1, a == b ? Distance::same_cpu
                                              : a / 2 == b / 2 ? Distance::smt
                                                               : Distance::other_cpu);
            what.placement.cpu_a = a;
            what.placement.cpu_b = b;
            run.results.push_back(result(what, about(a == b ? 1960 : 10'000.0 * (a + b))));
        }
    }
    return run;
}

Run hostile()
{
    Run run = whole();
    const std::string nasty = "\x1b[2J=cmd|' /C calc'!A0,\"<b>|`\\x1b\n\r\xff\xe2\x80\xae";
    run.environment.hostname = nasty;
    run.environment.cpu_model = "µ – →";
    run.environment.mitigations = {nasty};
    run.warnings = {nasty, std::string("\0nul", 4)};
    run.results[0].what.mechanism = nasty;
    run.results[1].what.mechanism = "=1+1";
    run.results[2].what.mechanism = std::string(300, 'm');
    run.results.push_back(failed(round_trip("@SUM(A1)", 1, Distance::same_cpu), "-2+3" + nasty));
    return run;
}

}  // namespace ipcscope::bench::sample
