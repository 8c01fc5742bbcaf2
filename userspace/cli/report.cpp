// SPDX-License-Identifier: GPL-2.0-only
// ipcscope report and dump: a capture file, all at once or record by record.
#include <memory>

#include <fmt/format.h>

#include "aggregate/pipeline.hpp"
#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/replay.hpp"
#include "render/render.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    std::string file;
    bool json = false;
    bool no_histograms = false;
    std::size_t top = 20;
};

int report(const Arguments& arguments)
{
    aggregate::Analysis analysis;
    auto why = replay(arguments.file, analysis);
    if (!why) {
        return complain(why.error());
    }
    const aggregate::Report report = analysis.report(*why);
    render::TextOptions options;
    options.colour = colour_wanted();
    options.utf8 = utf8_wanted();
    options.histograms = !arguments.no_histograms;
    options.top = arguments.top;
    const auto printed = print(arguments.json ? render::json(report) + "\n"
                                              : render::text(report, options));
    if (!printed) {
        return complain(printed.error());
    }
    if (!report.complete) {
        return complain({Exit::input, fmt::format("{}: {}", arguments.file,
                                                  report.incomplete_why)});
    }
    return 0;
}

int dump(const std::string& file)
{
    aggregate::Analysis::Observer observer;
    Result<void> printed;
    observer.event = [&](const decode::Event& event) {
        if (printed) {
            printed = print(render::json_line(event) + "\n");
        }
    };
    aggregate::Analysis analysis(observer);
    auto why = replay(file, analysis);
    if (!why) {
        return complain(why.error());
    }
    analysis.report(*why);
    if (!printed) {
        return complain(printed.error());
    }
    return why->empty() ? 0 : complain({Exit::input, fmt::format("{}: {}", file, *why)});
}

}  // namespace

Run declare_report(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* report_app = app.add_subcommand("report", "Where the time went, from a capture");
    report_app->add_option("file", arguments->file, "Capture file; - is standard input")
        ->required();
    report_app->add_flag("--json", arguments->json, "JSON, schema ipcscope.report/1");
    report_app->add_option("--top", arguments->top, "Rows in each table; 0: all")
        ->capture_default_str();
    report_app->add_flag("--no-histograms", arguments->no_histograms, "Leave histograms out");
    return [arguments] { return report(*arguments); };
}

Run declare_dump(CLI::App& app)
{
    auto file = std::make_shared<std::string>();
    CLI::App* dump_app =
        app.add_subcommand("dump", "Every record of a capture, one JSON object a line");
    dump_app->add_option("file", *file, "Capture file; - is standard input")->required();
    return [file] { return dump(*file); };
}

}  // namespace ipcscope::cli
