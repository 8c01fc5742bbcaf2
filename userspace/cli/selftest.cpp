// SPDX-License-Identifier: GPL-2.0-only
// ipcscope selftest: a known workload under both backends at once; their counts,
// fields and latencies compared; then the cost of each.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "base/family.hpp"
#include "base/version.hpp"
#include "cli/backend.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "decode/decode.hpp"
#include "selftest/parity.hpp"
#include "selftest/workload.hpp"
#include "source/kmod/kmod_source.hpp"
#include "source/kmod/load.hpp"

namespace ipcscope::cli {
namespace {

using selftest::Cost;
using selftest::kCounts;
using selftest::Kept;

/// The result of a phase, which runs in a child process.
struct PhaseReport {
    struct Check {
        bool ok;
        bool is_note;     ///< of what is not checked, and why
        char name[40];
        char detail[200];
    };
    static constexpr std::size_t kMaxChecks = 40;

    Cost cost;
    int code;             ///< of an Error
    char error[600];

    void check(bool ok, const std::string& name, const std::string& detail)
    {
        add(ok, false, name, detail);
    }
    void note(const std::string& name, const std::string& detail)
    {
        add(true, true, name, detail);
    }
    std::span<const Check> all() const { return {checks, count}; }

private:
    void add(bool ok, bool is_note, const std::string& name, const std::string& detail)
    {
        if (count < kMaxChecks) {
            Check& to = checks[count++];
            to.ok = ok;
            to.is_note = is_note;
            std::strncpy(to.name, name.c_str(), sizeof to.name - 1);
            std::strncpy(to.detail, detail.c_str(), sizeof to.detail - 1);
        }
    }

    Check checks[kMaxChecks];
    std::size_t count;
};

/// A report in memory that is shared with a child.
class SharedReport {
public:
    SharedReport()
        : report_(static_cast<PhaseReport*>(mmap(nullptr, sizeof(PhaseReport),
                                                 PROT_READ | PROT_WRITE,
                                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0)))
    {
    }
    ~SharedReport() { munmap(report_, sizeof(PhaseReport)); }
    SharedReport(const SharedReport&) = delete;
    SharedReport& operator=(const SharedReport&) = delete;

    PhaseReport* get() const { return report_ == MAP_FAILED ? nullptr : report_; }

private:
    PhaseReport* report_;
};

/// Runs `phase` in a child process, since attaching drops privileges.
Result<PhaseReport> run_in_child(const std::function<Result<void>(PhaseReport&)>& phase)
{
    const SharedReport shared;
    if (!shared.get()) {
        return fail(Exit::kernel, "no memory to share with a child");
    }
    const pid_t pid = fork();
    if (pid == 0) {
        PhaseReport& report = *shared.get();
        if (auto done = phase(report); !done) {
            report.code = static_cast<int>(done.error().code);
            std::strncpy(report.error, done.error().message.c_str(), sizeof report.error - 1);
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
/// neither is stopped before that.  After two seconds the comparison reports the rest.
Result<void> wait_for_frees(std::vector<Backend>& backends)
{
    const auto all_freed = [](const Backend& backend) {
        const Kept& kept = backend.kept;
        return kept.count(IPCSCOPE_THREAD_FREE) >= kept.count(IPCSCOPE_THREAD_EXIT);
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
Result<int> run_traced(std::vector<Backend>& backends, const std::function<int()>& body)
{
    auto command = Command::start(body);
    if (!command) {
        return tl::unexpected<Error>(command.error());
    }
    source::Options options;
    options.command_pid = command->pid();
    options.ring_bytes = 1 << 20;
    options.families = IPCSCOPE_FAMILY_HOOKED;
    for (Backend& backend : backends) {
        auto opened = open_backend(backend.name, options);
        if (!opened) {
            return fail(opened.error().code,
                        fmt::format("{}: {}", backend.name, opened.error().message));
        }
        backend.source = std::move(*opened);
    }
    command->release();
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

void check_counts(PhaseReport& report, const Kept& kept, const char* backend)
{
    const auto expect = [&](const char* what, std::uint64_t seen, std::uint64_t made) {
        report.check(seen == made, fmt::format("{}: {}", backend, what),
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
    expect("pipe reads", calls(kept, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ), passed);
    expect("pipe writes", calls(kept, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE), passed);
    expect("eventfd reads", calls(kept, IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_READ),
           kCounts.notified);
    expect("eventfd writes", calls(kept, IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_WRITE),
           kCounts.notified);
    expect("unix sends", calls(kept, IPCSCOPE_CALL_UNIX, IPCSCOPE_OP_SEND), 3 * kCounts.sent);
    expect("unix receives", calls(kept, IPCSCOPE_CALL_UNIX, IPCSCOPE_OP_RECEIVE),
           3 * kCounts.sent);
}

void check_ledger(PhaseReport& report, const Kept& kept, const char* backend)
{
    std::uint64_t wrong = 0;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        wrong += kept.tally(kind, &ipcscope_tally::emitted) != kept.count(kind);
    }
    report.check(wrong == 0 && kept.lost() == 0, fmt::format("{}: ledger", backend),
               fmt::format("{} kinds wrong, {} lost", wrong, kept.lost()));
}

/// Whether no backend has hooks that make records of `kind`.
bool is_unhooked(unsigned kind)
{
    const auto is_of = [&](const Family& family) { return (family.kinds >> kind & 1) != 0; };
    const auto family = std::ranges::find_if(kFamilies, is_of);
    return family != kFamilies.end() && !family->hooked();
}

void check_parity(PhaseReport& report, const Kept& bpf, const Kept& kmod, unsigned kind)
{
    const auto parity = compare(bpf, kmod, kind);
    std::string detail =
        fmt::format("{} by bpf, {} by kmod", parity.first, parity.second);
    if (!parity.not_compared.empty()) {
        report.note(std::string(decode::kind_name(kind)),
                    fmt::format("{}, not compared: {}", detail, parity.not_compared));
    } else if (!is_unhooked(kind)) {
        report.check(parity.equal(), fmt::format("equal: {}", decode::kind_name(kind)),
                     fmt::format("{}, {} unequal{}{}{}", detail, parity.unequal,
                                 parity.allowed == 0
                                     ? ""
                                     : fmt::format(" (of {} that may be)", parity.allowed),
                                 parity.example.empty() ? "" : ": ", parity.example));
    }
}

void check_latency(PhaseReport& report, const char* name, const Histogram& bpf,
                   const Histogram& kmod)
{
    report.check(selftest::same_bucket(bpf, kmod), name,
               fmt::format("median {:.3f} ms by bpf, {:.3f} ms by kmod, of {} and {}",
                           static_cast<double>(bpf.quantile(0.5)) / 1e6,
                           static_cast<double>(kmod.quantile(0.5)) / 1e6, bpf.count(),
                           kmod.count()));
}

Result<void> compare_backends(PhaseReport& report)
{
    std::vector<Backend> backends;
    backends.push_back({"bpf"});
    backends.push_back({"kmod"});
    const auto status = run_traced(backends, [] { return selftest::run_workload() ? 0 : 1; });
    if (!status) {
        return tl::unexpected<Error>(status.error());
    }
    const Kept& bpf = backends[0].kept;
    const Kept& kmod = backends[1].kept;
    report.check(*status == 0, "workload", "ran as expected");
    check_counts(report, bpf, "bpf");
    check_counts(report, kmod, "kmod");
    check_ledger(report, bpf, "bpf");
    check_ledger(report, kmod, "kmod");
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        check_parity(report, bpf, kmod, kind);
    }
    check_latency(report, "latency: a read that waits", blocked_reads(bpf),
                  blocked_reads(kmod));
    check_latency(report, "latency: a blocked signal", signal_latencies(bpf, SIGUSR2),
                  signal_latencies(kmod, SIGUSR2));
    return {};
}

/// Under one backend, or none.
Result<Cost> cost_under(const char* backend)
{
    const auto report = run_in_child([&](PhaseReport& result) -> Result<void> {
        std::vector<Backend> backends;
        if (backend) {
            backends.push_back({backend});
        }
        const auto status = run_traced(backends, [&] {
            result.cost = selftest::measure_cost();
            return 0;
        });
        return status ? Result<void>{} : tl::unexpected<Error>(status.error());
    });
    if (!report) {
        return tl::unexpected<Error>(report.error());
    }
    return report->cost;
}

struct Costs {
    Cost bare, bpf, kmod;
};

/// Measures them in turns and takes the minimum of each, so that other load on the
/// machine affects all of them alike.
Result<Costs> measure()
{
    Costs costs;
    const std::pair<const char*, Cost*> all[] = {
        {nullptr, &costs.bare}, {"bpf", &costs.bpf}, {"kmod", &costs.kmod}};
    for (int round = 0; round < 2; round++) {
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

std::string ktap(const PhaseReport& report, const Costs& costs)
{
    std::string text;
    unsigned number = 0;
    for (const PhaseReport::Check& check : report.all()) {
        text += check.is_note ? fmt::format("# {}: {}\n", check.name, check.detail)
                              : fmt::format("{} {} {} # {}\n", check.ok ? "ok" : "not ok",
                                            ++number, check.name, check.detail);
    }
    text.insert(0, fmt::format("KTAP version 1\n1..{}\n", number));
    return text + costs_text(costs, "# ");
}

std::string text(const PhaseReport& report, const Costs& costs, std::size_t failed)
{
    utsname names{};
    uname(&names);
    std::string text = fmt::format("ipcscope {} on Linux {}: bpf and kmod at once\n", kVersion,
                                   names.release);
    for (const PhaseReport::Check& check : report.all()) {
        text += fmt::format("  {:<4} {:<28} {}\n",
                            check.is_note ? "--" : check.ok ? "ok" : "NO", check.name,
                            check.detail);
    }
    text += "\nCost (ratios; under emulation the times are no real ones)\n" +
            costs_text(costs, "  ");
    return text + (failed == 0 ? "\nThe backends are equal.\n"
                               : fmt::format("\n{} checks FAILED.\n", failed));
}

struct Arguments {
    bool load = false;
    bool ktap = false;
};

int selftest_both(const Arguments& arguments)
{
    if (!arguments.load && !source::kmod::loaded()) {
        return print_error({Exit::kernel,
                            "selftest compares both backends, and the kernel module ipcscope is "
                            "not loaded: load it, or let selftest --load do so, and unload it "
                            "again; this taints the kernel"});
    }
    const auto module = source::kmod::LoadedModule::load();
    if (!module) {
        return print_error(module.error());
    }
    if (module->ours()) {
        print_stderr("ipcscope: the kernel module is loaded for this, which taints the kernel, "
                     "and unloaded at the end\n");
    }
    const auto report = run_in_child(compare_backends);
    if (!report) {
        return print_error(report.error());
    }
    const auto costs = measure();
    if (!costs) {
        return print_error(costs.error());
    }
    const auto failed = static_cast<std::size_t>(
        std::ranges::count(report->all(), false, &PhaseReport::Check::ok));
    if (auto printed = print(arguments.ktap ? ktap(*report, *costs) : text(*report, *costs, failed));
        !printed) {
        return print_error(printed.error());
    }
    return static_cast<int>(failed == 0 ? Exit::ok : Exit::threshold);
}

}  // namespace

Run declare_selftest(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* selftest_app = app.add_subcommand(
        "selftest", "Trace a known workload by both backends at once, and compare them");
    selftest_app->add_flag("--load", arguments->load,
                           "Load the kernel module where it is not loaded (this taints the "
                           "kernel), and unload it at the end");
    selftest_app->add_flag("--ktap", arguments->ktap, "The result as KTAP");
    selftest_app->footer(R"(Examples:
  ipcscope selftest --load               and unload the module at the end
  ipcscope selftest --load --ktap)");
    return [arguments] { return selftest_both(*arguments); };
}

}  // namespace ipcscope::cli
