// SPDX-License-Identifier: GPL-2.0-only
// ipcscope diff: two saved benchmark runs, case by case.
#include <memory>

#include <fmt/format.h>

#include "bench/compare.hpp"
#include "bench/output/output.hpp"
#include "cli/commands.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    std::string a;
    std::string b;
    double fail_above_percent = bench::kFailAbovePercent;
    bool json = false;
};

int diff(const Arguments& arguments)
{
    const auto a = bench::load(arguments.a);
    if (!a) return print_error(a.error());
    const auto b = bench::load(arguments.b);
    if (!b) return print_error(b.error());
    const bench::Comparison comparison = bench::compare(*a, *b, arguments.fail_above_percent);
    bench::TextOptions options;
    options.colour = colour_wanted();
    options.utf8 = utf8_wanted();
    const auto printed = print(arguments.json ? bench::json(comparison) + "\n"
                                              : bench::text(comparison, options));
    if (!printed) return print_error(printed.error());
    if (comparison.no_common_cases())
        return print_error(
            {Exit::input, fmt::format("{} and {} have no measured case in common", arguments.a,
                                      arguments.b)});
    return static_cast<int>(comparison.regressed() ? Exit::threshold : Exit::ok);
}

}  // namespace

Run declare_diff(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* diff_app =
        app.add_subcommand("diff", "What changed between two runs of bench --json");
    diff_app->add_option("A", arguments->a, "JSON of the earlier run")->required();
    diff_app->add_option("B", arguments->b, "JSON of the later run")->required();
    diff_app->add_option("--fail-above", arguments->fail_above_percent,
                         "Per cent slower that make the exit status 1")
        ->check(CLI::Range(0.0, 1e6))->capture_default_str();
    diff_app->add_flag("--json", arguments->json, "JSON, schema ipcscope.bench-diff/1");
    return [arguments] { return diff(*arguments); };
}

}  // namespace ipcscope::cli
