// SPDX-License-Identifier: GPL-2.0-only
// ipcscope diff: two captures, or two saved benchmark runs.
#include <memory>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "aggregate/analysis.hpp"
#include "base/safe_text.hpp"
#include "bench/compare.hpp"
#include "bench/output/output.hpp"
#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/replay.hpp"
#include "cli/terminal.hpp"
#include "compare/output/output.hpp"
#include "compare/report_diff.hpp"
#include "diagnose/diagnose.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    std::string a;
    std::string b;
    double fail_above_percent = bench::kFailAbovePercent;
    std::size_t top = 20;
    bool json = false;
};

int status(bool regressed) { return static_cast<int>(regressed ? Exit::threshold : Exit::ok); }

int diff_runs(const Arguments& arguments)
{
    const auto a = bench::load(arguments.a);
    if (!a) return print_error(a.error());
    const auto b = bench::load(arguments.b);
    if (!b) return print_error(b.error());
    bench::Comparison comparison = bench::compare(*a, *b, arguments.fail_above_percent);
    comparison.name_a = arguments.a;
    comparison.name_b = arguments.b;
    const auto printed = arguments.json ? print(bench::json(comparison) + "\n")
                                        : print_paged(bench::text(comparison, table_options()));
    if (!printed) return print_error(printed.error());
    if (comparison.no_common_cases())
        return print_error(
            {Exit::input, fmt::format("{} and {} have no measured case in common",
                                      SafeText::escape(arguments.a).str(),
                                      SafeText::escape(arguments.b).str())});
    return status(comparison.regressed());
}

Result<aggregate::Report> report_of(const std::string& file)
{
    aggregate::Analysis analysis;
    return replay(file, analysis).map([&](const std::string& why) { return analysis.report(why); });
}

int diff_captures(const Arguments& arguments)
{
    const auto a = report_of(arguments.a);
    if (!a) return print_error(a.error());
    const auto b = report_of(arguments.b);
    if (!b) return print_error(b.error());
    const diagnose::Findings findings_a = diagnose::diagnose(*a), findings_b = diagnose::diagnose(*b);
    const compare::ReportDiff diff =
        compare::compare({arguments.a, *a, findings_a}, {arguments.b, *b, findings_b},
                         arguments.fail_above_percent);
    const auto printed = arguments.json ? print(compare::json(diff) + "\n")
                                        : print_paged(compare::text(diff, table_options(), arguments.top));
    if (!printed) return print_error(printed.error());
    return status(diff.regressed());
}

/// Of a file of which nothing can be read: what report says of it.  Pipes are left alone, for
/// what is read of one is gone.
std::optional<Error> unreadable(const std::string& file)
{
    struct stat about{};
    const bool missing = ::stat(file.c_str(), &about) != 0 || ::access(file.c_str(), R_OK) != 0;
    if (file == "-" || !(missing || S_ISDIR(about.st_mode) || (S_ISREG(about.st_mode) && about.st_size == 0))) {
        return std::nullopt;
    }
    const auto report = report_of(file);
    return report ? std::nullopt : std::optional(report.error());
}

int diff(const Arguments& arguments)
{
    for (const std::string& file : {arguments.a, arguments.b}) {
        if (const auto error = unreadable(file)) {
            return print_error(*error);
        }
    }
    const bool a = capture::is_capture(arguments.a), b = capture::is_capture(arguments.b);
    if (a && b) {
        return diff_captures(arguments);
    }
    if (a != b) {
        return print_error(
            {Exit::input, fmt::format("{} is a capture, and {} is none: give two captures, or two files "
                                      "of bench --json",
                                      SafeText::escape(a ? arguments.a : arguments.b).str(),
                                      SafeText::escape(a ? arguments.b : arguments.a).str())});
    }
    return diff_runs(arguments);
}

}  // namespace

Run declare_diff(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* diff_app = app.add_subcommand(
        "diff", "What changed between two captures, or two runs of bench --json");
    diff_app->add_option("A", arguments->a, "The earlier one: a capture, or JSON of bench")->required();
    diff_app->add_option("B", arguments->b, "The later one, of the same kind")->required();
    diff_app->add_option("--fail-above", arguments->fail_above_percent,
                         "Per cent slower that make the exit status 1; so does a new finding that is an "
                         "error or a warning")
        ->check(CLI::Range(0.0, 1e6))->capture_default_str();
    diff_app->add_option("--top", arguments->top, "Of captures: rows in each table; 0: all")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    diff_app->add_flag("--json", arguments->json,
                       "JSON, schema ipcscope.diff/1, or of benchmarks ipcscope.bench-diff/1");
    diff_app->footer(R"(Examples:
  ipcscope diff ipcscope.ipcs.old ipcscope.ipcs
  ipcscope diff --json a.ipcs b.ipcs | jq .findings
  ipcscope diff --fail-above 20 old.json new.json)");
    return [arguments] { return diff(*arguments); };
}

}  // namespace ipcscope::cli
