// SPDX-License-Identifier: GPL-2.0-only
// ipcscope bench: measure every IPC mechanism on this machine.
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "bench/channel.hpp"
#include "bench/output/output.hpp"
#include "bench/plan.hpp"
#include "bench/runner.hpp"
#include "bench/topology.hpp"
#include "cli/bench_progress.hpp"
#include "cli/bench_request.hpp"
#include "cli/bench_trace.hpp"
#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/terminal.hpp"

namespace ipcscope::cli {
namespace {

constexpr double kDefaultSeconds = 60;
/// Together with starting and ending the workers under 15 s.
constexpr double kQuickSeconds = 10;

struct Arguments {
    bench::Request request;
    std::string sizes, metrics, cpus;
    double seconds = 0;         ///< 0: by --quick
    unsigned rounds = 0;   ///< 0: as many as there is time for
    bool ipcns = false;
    bool trace = false;

    bool list = false;
    std::string json;           ///< "true": instead of the table; else a file
    bool csv = false;
    bool markdown = false;
    std::string output;
    std::string base;
    double fail_above_percent = bench::kFailAbovePercent;
    bool progress = false;

    bool json_only() const { return json == "true"; }
};

/// A file beside an output that is named otherwise would be taken for a mechanism.
Result<void> check_names(const Arguments& arguments)
{
    const bool formatted = arguments.json_only() || arguments.csv || arguments.markdown;
    for (const std::string& name : arguments.request.names) {
        if (formatted && name.find_first_of("./") != std::string::npos) {
            const std::string file = SafeText::escape(name).str();
            return fail(Exit::usage,
                        fmt::format("no mechanism is called '{}': did you mean {}{}?", file,
                                    arguments.json_only() ? "--json="
                                    : arguments.csv       ? "--csv -o "
                                                          : "--markdown -o ",
                                    file));
        }
    }
    return {};
}

/// Parses and checks the arguments and fills the request.
Result<void> validate(Arguments& arguments)
{
    if (arguments.json_only() + arguments.csv + arguments.markdown > 1)
        return fail(Exit::usage, "--json, --csv and --markdown each take the table's place: "
                                 "give one of them; --json=FILE goes with the others");
    if (auto checked = check_names(arguments); !checked) return checked;
    const auto take = [](const std::string& text, auto parse, auto& into) -> Result<void> {
        if (text.empty()) return {};
        auto value = parse(text);
        if (!value) return tl::unexpected(value.error());
        into = std::move(*value);
        return {};
    };
    bench::Request& request = arguments.request;
    if (arguments.trace && request.names.empty()) request.names = traceable_mechanisms();
    if (arguments.trace && arguments.metrics.empty())
        request.metrics = {bench::Metric::round_trip};
    if (auto taken = take(arguments.sizes, parse_sizes, request.sizes); !taken) return taken;
    if (auto taken = take(arguments.metrics, parse_metrics, request.metrics); !taken)
        return taken;
    return take(arguments.cpus, parse_cpus, request.cpus);
}

bench::TextOptions text_options(bool to_file)
{
    bench::TextOptions options;
    options.colour = !to_file && colour_wanted();
    options.utf8 = to_file || utf8_wanted();
    return options;
}

/// All input and output files, opened before the measurement.
struct Files {
    std::optional<bench::Run> base;
    std::optional<OutputFile> output;
    std::optional<OutputFile> json;
};

Result<Files> open_files(const Arguments& arguments)
{
    Files files;
    if (!arguments.base.empty()) {
        auto base = bench::load(arguments.base);
        if (!base) return tl::unexpected(base.error());
        files.base = std::move(*base);
    }
    const auto open = [](std::string_view option, const std::string& path,
                         std::optional<OutputFile>& into) -> Result<void> {
        auto file = spare_capture(option, path).and_then([&] { return OutputFile::open(path); });
        if (!file) return tl::unexpected(file.error());
        into.emplace(std::move(*file));
        return {};
    };
    if (!arguments.output.empty()) {
        if (auto opened = open("bench --output", arguments.output, files.output); !opened)
            return tl::unexpected(opened.error());
    }
    if (!arguments.json.empty() && !arguments.json_only()) {
        if (auto opened = open("bench --json", arguments.json, files.json); !opened)
            return tl::unexpected(opened.error());
    }
    return files;
}

std::string page(const Arguments& arguments, const bench::Run& run,
                 const std::optional<bench::Comparison>& comparison)
{
    if (arguments.json_only()) return bench::json(run) + "\n";
    if (arguments.csv) return bench::csv(run);
    if (arguments.markdown)
        return bench::markdown(run, bench::mechanisms()) +
               (comparison ? bench::markdown(*comparison) : "");
    const bench::TextOptions options = text_options(!arguments.output.empty());
    return bench::text(run, bench::mechanisms(), options) +
           (comparison ? "\n" + bench::text(*comparison, options) : "");
}

Result<void> write_outputs(const Arguments& arguments, Files& files, const bench::Run& run,
                     const std::optional<bench::Comparison>& comparison)
{
    if (files.json) {
        if (auto wrote = files.json->write(bench::json(run) + "\n"); !wrote) return wrote;
    }
    const std::string text = page(arguments, run, comparison);
    if (auto wrote = files.output ? files.output->write(text) : print(text); !wrote)
        return wrote;
    // JSON and CSV hold the run only: the comparison goes to standard error.
    if (comparison && (arguments.json_only() || arguments.csv)) {
        bench::TextOptions options;
        options.utf8 = utf8_wanted();
        print_stderr(bench::text(*comparison, options));
    }
    return {};
}

int status(const bench::Run& run, const std::optional<bench::Comparison>& comparison)
{
    if (run.interrupted) return static_cast<int>(kInterrupted);
    if (comparison && comparison->regressed()) return static_cast<int>(Exit::threshold);
    for (const bench::CaseResult& result : run.results) {
        if (result.failed) return static_cast<int>(Exit::kernel);
    }
    return static_cast<int>(Exit::ok);
}

bench::Options runner_options(const Arguments& arguments)
{
    const double seconds = arguments.seconds > 0       ? arguments.seconds
                           : arguments.request.quick ? kQuickSeconds
                                                       : kDefaultSeconds;
    bench::Options options;
    if (arguments.rounds) options.min_rounds = options.max_rounds = arguments.rounds;
    options.budget = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    options.ipcns = arguments.ipcns;
    return options;
}

/// Warns if the cases take longer than --time.
void warn_if_over_budget(const bench::Plan& plan, const bench::Options& options)
{
    const auto least = bench::kMinSlice * options.min_rounds * plan.cases.size();
    if (least > options.budget)
        print_stderr(
            fmt::format("ipcscope: {} cases in {} rounds take {:.0f} s at least, more than "
                        "--time: name fewer mechanisms, sizes or CPUs\n",
                        plan.cases.size(), options.min_rounds,
                        std::chrono::duration<double>(least).count()));
}

Result<bench::Run> measure(const Arguments& arguments, const bench::Plan& plan)
{
    const bench::Options options = runner_options(arguments);
    warn_if_over_budget(plan, options);
    BenchProgress progress(arguments.progress);
    auto run = bench::run(plan.cases, options, progress);
    if (run && arguments.trace && !run->interrupted) {
        if (auto traced = add_kernel_views(*run, options, progress); !traced)
            return tl::unexpected(traced.error());
    }
    if (run)
        run->results.insert(run->results.end(), plan.refused.begin(), plan.refused.end());
    return run;
}

int bench_command(Arguments& arguments)
{
    if (arguments.list) {
        const auto printed = print(bench::list(bench::mechanisms(), table_options()));
        return printed ? 0 : print_error(printed.error());
    }
    if (auto valid = validate(arguments); !valid) return print_error(valid.error());
    const auto plan = bench::plan(arguments.request, bench::mechanisms(),
                                  {bench::allowed_cpus(), bench::distance});
    if (!plan) return print_error(plan.error());
    auto files = open_files(arguments);
    if (!files) return print_error(files.error());
    const auto run = measure(arguments, *plan);
    if (!run) return print_error(run.error());
    std::optional<bench::Comparison> comparison;
    if (files->base) {
        comparison = bench::compare(*files->base, *run, arguments.fail_above_percent);
        comparison->name_a = arguments.base;
        comparison->name_b = "this run";
    }
    if (auto done = write_outputs(arguments, *files, *run, comparison); !done)
        return print_error(done.error());
    return status(*run, comparison);
}

void declare_case_options(CLI::App& app, Arguments& arguments)
{
    bench::Request& request = arguments.request;
    app.add_option("names", request.names, "Mechanisms: names or globs; without: what people choose between");
    app.add_flag("--all", request.all, "All mechanisms: every mapping of shared memory, too");
    app.add_flag("--list", arguments.list, "Show the mechanisms and what each can do");
    app.add_option("--metric", arguments.metrics,
                   "Of call,round-trip,one-way,throughput; default: all but one-way");
    app.add_option("--sizes", arguments.sizes, "Message sizes: 1,64,4K,64K,1M");
    app.add_option("--cpus", arguments.cpus, "CPUs of the two ends: A,B");
    app.add_flag("--matrix", request.matrix, "Every pair of CPUs");
    app.add_flag("--threads", request.threads, "Two threads instead of two processes");
    app.add_flag("--spin", request.spin, "Receivers poll and never sleep");
    app.add_flag("--awake", request.awake, "Keep idle CPUs from sleeping");
    app.add_flag("--ipcns", arguments.ipcns, "In a new IPC namespace");
    app.add_option("--rate", request.rate_hz, "Paced: so many messages a second")
        ->check(CLI::Range(1e-3, 1e9));
    app.add_option("--producers", request.producers, "Senders, of throughput")
        ->check(CLI::Range(1, 32));
    app.add_option("--consumers", request.consumers, "Receivers, of throughput")
        ->check(CLI::Range(1, 32));
}

void declare_budget_options(CLI::App& app, Arguments& arguments)
{
    app.add_option("--time", arguments.seconds, "Seconds for all of it; default 60")
        ->check(CLI::Range(0.001, 1e6));
    app.add_flag("--quick", arguments.request.quick,
                 "Calls and round trips only, in under 15 s");
    app.add_option("--rounds", arguments.rounds,
                   fmt::format("Rounds of all cases, interleaved; default {} to {}, as --time "
                               "allows", bench::Options{}.min_rounds,
                               bench::Options{}.max_rounds))
        ->check(CLI::Range(std::size_t{1}, bench::kMaxRounds));
}

void declare_trace_option(CLI::App& app, Arguments& arguments)
{
    app.add_flag("--trace", arguments.trace,
                 "Round trips once more, traced, of what has hooks: where the kernel spent them "
                 "(root)");
}

void declare_output_options(CLI::App& app, Arguments& arguments)
{
    app.add_flag("--json", arguments.json,
                 "JSON, schema ipcscope.bench/1, instead of the table; --json=FILE: beside it");
    app.add_flag("--csv", arguments.csv, "CSV, a line for each case, instead of the table");
    app.add_flag("--markdown", arguments.markdown, "The tables in Markdown");
    app.add_option("-o,--output", arguments.output, "Into this file, not standard output")
        ->type_name("FILE");
    app.add_option("--compare", arguments.base, "Compare with the JSON of an earlier run")
        ->type_name("FILE");
    app.add_option("--fail-above", arguments.fail_above_percent,
                   "Per cent slower than the base that make the exit status 1")
        ->check(CLI::Range(0.0, 1e6))->capture_default_str();
    app.add_flag("--progress", arguments.progress,
                 "Show progress even if standard error is not a terminal");
}

}  // namespace

Run declare_bench(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* bench_app =
        app.add_subcommand("bench", "Measure the IPC mechanisms of this machine");
    declare_case_options(*bench_app, *arguments);
    declare_budget_options(*bench_app, *arguments);
    declare_trace_option(*bench_app, *arguments);
    declare_output_options(*bench_app, *arguments);
    bench_app->footer(R"(Examples:
  ipcscope bench --quick                 calls and round trips, in 15 s
  ipcscope bench --json=old.json pipe 'unix-*'
  ipcscope bench --compare old.json pipe 'unix-*')");
    return [arguments] { return bench_command(*arguments); };
}

}  // namespace ipcscope::cli
