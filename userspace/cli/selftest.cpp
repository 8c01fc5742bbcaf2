// SPDX-License-Identifier: GPL-2.0-only
// ipcscope selftest: a known workload under both backends at once; their counts,
// fields and latencies compared; then what each of them costs.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "base/version.hpp"
#include "cli/backend.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "decode/decode.hpp"
#include "selftest/parity.hpp"
#include "selftest/workload.hpp"

namespace ipcscope::cli {
namespace {

using selftest::Cost;
using selftest::kCounts;
using selftest::Kept;

/// What a phase, which runs in a process of its own, tells its parent.
struct Told {
    struct Check {
        bool ok;
        char name[40];
        char detail[200];
    };
    static constexpr std::size_t kMost = 32;

    Check checks[kMost];
    std::size_t count;
    Cost cost;
    int code;             ///< of an Error
    char error[600];

    void check(bool ok, const std::string& name, const std::string& detail)
    {
        if (count < kMost) {
            checks[count].ok = ok;
            std::strncpy(checks[count].name, name.c_str(), sizeof checks[count].name - 1);
            std::strncpy(checks[count].detail, detail.c_str(), sizeof checks[count].detail - 1);
            count++;
        }
    }
};

/// Memory that a child shares with us.
class Shared {
public:
    Shared()
        : told_(static_cast<Told*>(mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)))
    {
    }
    ~Shared() { munmap(told_, sizeof(Told)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    Told* get() const { return told_ == MAP_FAILED ? nullptr : told_; }

private:
    Told* told_;
};

/// Runs `phase` in a process of its own, since attaching gives up privileges.
Result<Told> apart(const std::function<Result<void>(Told&)>& phase)
{
    const Shared shared;
    if (!shared.get()) {
        return fail(Exit::kernel, "no memory to share with a child");
    }
    const pid_t pid = fork();
    if (pid == 0) {
        Told& told = *shared.get();
        if (auto done = phase(told); !done) {
            told.code = static_cast<int>(done.error().code);
            std::strncpy(told.error, done.error().message.c_str(), sizeof told.error - 1);
        }
        _exit(0);
    }
    int status = 1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        return fail(Exit::producer, fmt::format("a part of the selftest has died ({})", status));
    }
    if (shared.get()->code != 0) {
        return fail(static_cast<Exit>(shared.get()->code), shared.get()->error);
    }
    return *shared.get();
}

struct Backend {
    const char* name;
    std::unique_ptr<source::Source> source = nullptr;
    Kept kept = {};
};

Result<void> poll_all(std::vector<Backend>& backends)
{
    for (Backend& backend : backends) {
        if (auto more = backend.source->poll(backend.kept, std::chrono::milliseconds(10));
            !more) {
            return tl::unexpected<Error>(more.error());
        }
    }
    if (backends.empty()) {
        usleep(10'000);
    }
    return {};
}

/// A task is freed some time after it was reaped; both backends shall see it, so
/// none is stopped before.  Two seconds, and the comparison tells.
Result<void> wait_for_frees(std::vector<Backend>& backends)
{
    const auto all_freed = [](const Backend& backend) {
        return backend.kept.count(IPCSCOPE_TASK_FREE) >= backend.kept.count(IPCSCOPE_TASK_EXIT);
    };
    Result<void> done;
    for (int tries = 0; done && tries < 100 && !std::ranges::all_of(backends, all_freed);
         tries++) {
        done = poll_all(backends);
    }
    return done;
}

/// Runs `body` as a traced command under some backends at once.
/// @return its exit status
Result<int> under(std::vector<Backend>& backends, const std::function<int()>& body)
{
    auto command = Command::start(body);
    if (!command) {
        return tl::unexpected<Error>(command.error());
    }
    source::Options options;
    options.command_pid = command->pid();
    options.ring_bytes = 1 << 20;
    for (Backend& backend : backends) {
        auto opened = open_backend(backend.name, options);
        if (!opened) {
            return fail(opened.error().code,
                        fmt::format("{}: {}", backend.name, opened.error().message));
        }
        backend.source = std::move(*opened);
    }
    command->let_go();
    while (!command->ended()) {
        if (auto polled = poll_all(backends); !polled) {
            return tl::unexpected<Error>(polled.error());
        }
    }
    if (auto waited = wait_for_frees(backends); !waited) {
        return tl::unexpected<Error>(waited.error());
    }
    for (Backend& backend : backends) {
        if (auto finished = backend.source->finish(backend.kept); !finished) {
            return tl::unexpected<Error>(finished.error());
        }
    }
    return command->status();
}

void check_counts(Told& told, const Kept& kept, const char* backend)
{
    const auto expect = [&](const char* what, std::uint64_t seen, std::uint64_t made) {
        told.check(seen == made, fmt::format("{}: {}", backend, what),
                   fmt::format("{} made, {} seen", made, seen));
    };
    const auto signals = generated(kept);
    const auto of = [&](int signal) {
        const auto found = signals.find(static_cast<unsigned>(signal));
        return found == signals.end() ? 0 : found->second;
    };
    const std::uint64_t passed = kCounts.passed + kCounts.waited;
    expect("SIGUSR1", of(SIGUSR1), kCounts.to_handler);
    expect("SIGUSR2", of(SIGUSR2), kCounts.late);
    expect("SIGRTMIN+1", of(SIGRTMIN + 1), kCounts.queued);
    expect("pipe reads", kept.count(IPCSCOPE_PIPE_READ), passed);
    expect("pipe writes", kept.count(IPCSCOPE_PIPE_WRITE), passed);
}

void check_ledger(Told& told, const Kept& kept, const char* backend)
{
    std::uint64_t wrong = 0;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        wrong += kept.tally(kind, &ipcscope_tally::emitted) != kept.count(kind);
    }
    told.check(wrong == 0 && kept.lost() == 0, fmt::format("{}: ledger", backend),
               fmt::format("{} kinds wrong, {} lost", wrong, kept.lost()));
}

void check_latency(Told& told, const char* name, const Histogram& bpf, const Histogram& kmod)
{
    told.check(selftest::same_bucket(bpf, kmod), name,
               fmt::format("median {:.3f} ms by bpf, {:.3f} ms by kmod, of {} and {}",
                           static_cast<double>(bpf.quantile(0.5)) / 1e6,
                           static_cast<double>(kmod.quantile(0.5)) / 1e6, bpf.count(),
                           kmod.count()));
}

Result<void> compare_backends(Told& told)
{
    std::vector<Backend> backends;
    backends.push_back({"bpf"});
    backends.push_back({"kmod"});
    const auto status = under(backends, [] { return selftest::run_workload() ? 0 : 1; });
    if (!status) {
        return tl::unexpected<Error>(status.error());
    }
    const Kept& bpf = backends[0].kept;
    const Kept& kmod = backends[1].kept;
    told.check(*status == 0, "workload", "did what it should");
    check_counts(told, bpf, "bpf");
    check_counts(told, kmod, "kmod");
    check_ledger(told, bpf, "bpf");
    check_ledger(told, kmod, "kmod");
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        const auto parity = compare(bpf, kmod, kind);
        told.check(parity.equal(), fmt::format("equal: {}", decode::kind_name(kind)),
                   fmt::format("{} by bpf, {} by kmod, {} unequal{}{}", parity.first,
                               parity.second, parity.unequal, parity.example.empty() ? "" : ": ",
                               parity.example));
    }
    check_latency(told, "latency: a read that waits", blocked_reads(bpf), blocked_reads(kmod));
    check_latency(told, "latency: a blocked signal", signal_latencies(bpf, SIGUSR2),
                  signal_latencies(kmod, SIGUSR2));
    return {};
}

/// Under one backend, or none.
Result<Cost> cost_under(const char* backend)
{
    const auto told = apart([&](Told& to) -> Result<void> {
        std::vector<Backend> backends;
        if (backend) {
            backends.push_back({backend});
        }
        const auto status = under(backends, [&] {
            to.cost = selftest::measure_cost();
            return 0;
        });
        return status ? Result<void>{} : tl::unexpected<Error>(status.error());
    });
    if (!told) {
        return tl::unexpected<Error>(told.error());
    }
    return told->cost;
}

struct Costs {
    Cost bare, bpf, kmod;
};

/// In turns, and the best of each: what else the machine does meanwhile is not
/// to count for one of them only.
Result<Costs> measure()
{
    Costs costs;
    const std::pair<const char*, Cost*> all[] = {
        {nullptr, &costs.bare}, {"bpf", &costs.bpf}, {"kmod", &costs.kmod}};
    for (int round = 0; round < 3; round++) {
        for (const auto& [backend, best] : all) {
            const auto cost = cost_under(backend);
            if (!cost) {
                return tl::unexpected<Error>(cost.error());
            }
            const auto lower = [&](double Cost::*what) {
                best->*what = round == 0 ? (*cost).*what : std::min(best->*what, (*cost).*what);
            };
            lower(&Cost::signal_ns);
            lower(&Cost::pipe_ns);
        }
    }
    return costs;
}

std::string cost_line(const char* what, double bare, double bpf, double kmod)
{
    return fmt::format("{:<28} {:>8.2f} µs  {:>8.2f} µs ×{:<5.2f} {:>8.2f} µs ×{:.2f}", what,
                       bare / 1e3, bpf / 1e3, bpf / bare, kmod / 1e3, kmod / bare);
}

std::string costs_text(const Costs& costs, const char* margin)
{
    std::string text = fmt::format("{}{:<28} {:>11}  {:>11} {:6} {:>11}\n", margin, "operation",
                                   "bare", "bpf", "", "kmod");
    text += margin + cost_line("signal to a handler", costs.bare.signal_ns, costs.bpf.signal_ns,
                               costs.kmod.signal_ns) + '\n';
    text += margin + cost_line("pipe write and read", costs.bare.pipe_ns, costs.bpf.pipe_ns,
                               costs.kmod.pipe_ns) + '\n';
    return text;
}

std::string ktap(const Told& told, const Costs& costs)
{
    std::string text = fmt::format("KTAP version 1\n1..{}\n", told.count);
    for (std::size_t i = 0; i < told.count; i++) {
        const Told::Check& check = told.checks[i];
        text += fmt::format("{} {} {} # {}\n", check.ok ? "ok" : "not ok", i + 1, check.name,
                            check.detail);
    }
    return text + costs_text(costs, "# ");
}

std::string plain(const Told& told, const Costs& costs, std::size_t failed)
{
    utsname names{};
    uname(&names);
    std::string text = fmt::format("ipcscope {} on Linux {}: bpf and kmod at once\n", kVersion,
                                   names.release);
    for (std::size_t i = 0; i < told.count; i++) {
        const Told::Check& check = told.checks[i];
        text += fmt::format("  {:<4} {:<28} {}\n", check.ok ? "ok" : "NO", check.name,
                            check.detail);
    }
    text += "\nCost (ratios; under emulation the times are no real ones)\n" +
            costs_text(costs, "  ");
    return text + (failed == 0 ? "\nThe backends are equal.\n"
                               : fmt::format("\n{} checks FAILED.\n", failed));
}

int selftest_both(bool as_ktap)
{
    if (auto loaded = load_module(); !loaded) {
        return complain(loaded.error());
    }
    const auto told = apart(compare_backends);
    if (!told) {
        return complain(told.error());
    }
    const auto costs = measure();
    if (!costs) {
        return complain(costs.error());
    }
    std::size_t failed = 0;
    for (std::size_t i = 0; i < told->count; i++) {
        failed += !told->checks[i].ok;
    }
    if (auto printed = print(as_ktap ? ktap(*told, *costs) : plain(*told, *costs, failed));
        !printed) {
        return complain(printed.error());
    }
    return static_cast<int>(failed == 0 ? Exit::ok : Exit::threshold);
}

}  // namespace

Run declare_selftest(CLI::App& app)
{
    auto as_ktap = std::make_shared<bool>(false);
    CLI::App* selftest_app = app.add_subcommand(
        "selftest", "Trace a known workload by both backends at once, and compare them");
    selftest_app->add_flag("--ktap", *as_ktap, "The result as KTAP");
    return [as_ktap] { return selftest_both(*as_ktap); };
}

}  // namespace ipcscope::cli
