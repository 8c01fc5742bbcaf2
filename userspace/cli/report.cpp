// SPDX-License-Identifier: GPL-2.0-only
// ipcscope report and dump: a capture file, all at once or record by record.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "aggregate/analysis.hpp"
#include "aggregate/event_counts.hpp"
#include "aggregate/event_stream.hpp"
#include "aggregate/sort.hpp"
#include "base/atomic_file.hpp"
#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/fail_on.hpp"
#include "cli/output_file.hpp"
#include "cli/replay.hpp"
#include "cli/terminal.hpp"
#include "diagnose/diagnose.hpp"
#include "render/html.hpp"
#include "render/json_schema.hpp"
#include "render/render.hpp"
#include "render/stat.hpp"

namespace ipcscope::cli {
namespace {

constexpr std::array<const char*, 3> kFormats{"text", "json", "html"};

struct Arguments {
    std::string file = kStandardCapture;
    std::string fail_on;
    std::string by;     ///< empty: the report
    std::string sort;   ///< empty: each table in its own order
    std::string html;   ///< empty: none
    std::string format = kFormats[0];
    std::string output; ///< empty: standard output, through a pager
    bool json = false;
    bool no_histograms = false;
    std::size_t top = 20;
};

constexpr const char kBySignal[] = "signal";

/// Those of stat, and signals.
std::vector<std::string> by_names()
{
    std::vector<std::string> names = stat_by_names();
    names.emplace_back(kBySignal);
    return names;
}

aggregate::EventCounts counts_by(const std::string& name)
{
    return name == kBySignal
               ? aggregate::EventCounts(IPCSCOPE_STAT_BY_NONE, aggregate::EventCounts::Of::signals)
               : aggregate::EventCounts(stat_by(name), aggregate::EventCounts::Of::all);
}

/// With counts of its events, where they are asked for.
aggregate::Analysis::Observer observer_of(const Arguments& arguments,
                                          aggregate::EventCounts& counts)
{
    if (arguments.by.empty()) {
        return {};
    }
    return {[&](const decode::Event& event) { counts.event(event); },
            [&](const correlate::Interval& interval) { counts.interval(interval); }};
}

render::TextOptions options_of(const Arguments& arguments)
{
    render::TextOptions options = text_options();
    options.histograms = !arguments.no_histograms;
    options.top = arguments.top;
    options.sort = aggregate::find_sort_key(arguments.sort);
    return options;
}

constexpr mode_t kMode = 0600;   // as a capture's: it shows what others' processes did

/// Into the file that was asked for; text to standard output by the pager.
Result<void> put(const Arguments& arguments, const std::string& text)
{
    if (!arguments.output.empty()) {
        return AtomicFile::create(arguments.output, kMode).and_then([&](AtomicFile file) {
            return file.write(text).and_then([&] { return file.commit(); });
        });
    }
    return arguments.format == "text" ? print_paged(text) : print(text);
}

Result<void> show(const Arguments& arguments, const aggregate::Report& report,
                  const diagnose::Findings& findings)
{
    if (arguments.format == "html") {
        return put(arguments, render::html(report, findings));
    }
    return put(arguments, arguments.format == "json"
                              ? render::json(report, findings) + "\n"
                              : render::text(report, findings, options_of(arguments)));
}

Result<void> show(const Arguments& arguments, aggregate::StatReport counts)
{
    if (const auto key = aggregate::find_sort_key(arguments.sort)) {
        aggregate::sort(counts, *key);
    }
    return put(arguments, arguments.format == "json"
                              ? render::stat_json(counts)
                              : render::stat_text(counts, options_of(arguments)));
}

/// The short options say the same as --format and -o.
Arguments completed(Arguments arguments)
{
    if (arguments.json) {
        arguments.format = "json";
    } else if (!arguments.html.empty()) {
        arguments.format = "html";
        arguments.output = arguments.html;
    }
    return arguments;
}

Result<void> validate(const Arguments& arguments)
{
    if (arguments.format == "html" && !arguments.by.empty()) {
        return fail(Exit::usage, "report: --by has no HTML: --format text or json");
    }
    if (arguments.format != "text" && (arguments.no_histograms || arguments.top != Arguments{}.top)) {
        return fail(Exit::usage, "report: --top and --no-histograms go with --format text");
    }
    if (arguments.no_histograms && !arguments.by.empty()) {
        return fail(Exit::usage, "report: --by prints no histograms");
    }
    return spare_capture(arguments.html.empty() ? "report --output" : "report --html", arguments.output);
}

int report(const Arguments& arguments)
{
    if (auto valid = validate(arguments); !valid) {
        return print_error(valid.error());
    }
    const auto fail_on = parse_fail_on(arguments.fail_on);
    if (!fail_on) {
        return print_error(fail_on.error());
    }
    aggregate::EventCounts counts = counts_by(arguments.by);
    aggregate::Analysis analysis(observer_of(arguments, counts));
    auto why = replay(arguments.file, analysis);
    if (!why) {
        return print_error(why.error());
    }
    aggregate::Report report = analysis.report(*why);
    const diagnose::Findings findings = diagnose::diagnose(report);
    if (const auto key = aggregate::find_sort_key(arguments.sort)) {
        aggregate::sort(report, *key);
    }
    const auto printed = arguments.by.empty() ? show(arguments, report, findings)
                                              : show(arguments, counts.report(report));
    if (!printed) {
        return print_error(printed.error());
    }
    if (!report.complete) {
        return print_error({Exit::input, fmt::format("{}: {}", arguments.file,
                                                  report.incomplete_why)});
    }
    return fail_on->status(findings, 0);
}

/// Prints each event as a line of JSON; ends the replay where it cannot.
class JsonLines final : public source::Sink {
public:
    Result<void> host(const source::Host& host) override { return stream_.host(host); }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        return stream_.records(cpu, bytes);
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        return stream_.watermark(time_ns).and_then([&] { return printed_; });
    }
    Result<void> ledger(const source::Ledger& ledger) override { return stream_.ledger(ledger); }
    Result<void> end(std::uint64_t time_ns) override { return stream_.end(time_ns); }

    Result<void> flush()
    {
        stream_.flush();
        return printed_;
    }
    std::uint64_t malformed() const { return malformed_; }

private:
    void print_event(const decode::Event& event)
    {
        if (printed_) {
            printed_ = print(render::json_line(event) + "\n");
        }
    }

    Result<void> printed_;
    std::uint64_t malformed_ = 0;
    aggregate::EventStream stream_{[this](const decode::Event& event) { print_event(event); },
                                   [this] { ++malformed_; }};
};

struct DumpArguments {
    std::string file = kStandardCapture;
    bool json_schema = false;
};

int dump(const DumpArguments& arguments)
{
    const std::string& file = arguments.file;
    if (arguments.json_schema) {
        const auto printed = print(render::json_line_schema() + "\n");
        return printed ? 0 : print_error(printed.error());
    }
    JsonLines lines;
    auto why = replay(file, lines);
    if (!why) {
        return print_error(why.error());
    }
    if (auto printed = lines.flush(); !printed) {
        return print_error(printed.error());
    }
    if (why->empty() && lines.malformed() > 0) {
        why = fmt::format("{} records cannot be decoded; all others are shown",
                          lines.malformed());
    }
    return why->empty() ? 0 : print_error({Exit::input, fmt::format("{}: {}", file, *why)});
}

}  // namespace

void declare_input(CLI::App& app, std::string& file)
{
    CLI::Option* word = app.add_option("file", file, "Capture file; - is standard input")
                            ->type_name("FILE")->capture_default_str();
    app.add_option("-i,--input", file, "The same")->type_name("FILE")->excludes(word);
}

Run declare_report(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* report_app = app.add_subcommand("report", "Where the time went, from a capture");
    declare_input(*report_app, arguments->file);
    CLI::Option* json =
        report_app->add_flag("--json", arguments->json, "JSON, schema ipcscope.report/2");
    CLI::Option* html =
        report_app
            ->add_option("--html", arguments->html,
                         "One HTML file, for a browser, to FILE; - is standard output")
            ->type_name("FILE")
            ->excludes(json);
    report_app
        ->add_option("--format", arguments->format,
                     "text, json or html; --json and --html FILE say the same")
        ->check(CLI::IsMember(std::vector<std::string>(kFormats.begin(), kFormats.end())))
        ->capture_default_str()
        ->excludes(json)
        ->excludes(html);
    report_app
        ->add_option("-o,--output", arguments->output,
                     "Write to this file; - is standard output, without a pager")
        ->type_name("FILE")
        ->excludes(html);
    report_app->add_option("--top", arguments->top,
                           "Rows in each table (processes of one name share one, what costs next to "
                           "nothing is only counted); 0: all")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    report_app->add_flag("--no-histograms", arguments->no_histograms, "Leave histograms out");
    report_app
        ->add_option("--sort", arguments->sort,
                     "Rows by the largest: count, bytes, waited or latency (the longest); a table "
                     "without it keeps its order")
        ->check(CLI::IsMember(std::vector<std::string>(aggregate::kSortKeys.begin(),
                                                       aggregate::kSortKeys.end())));
    report_app
        ->add_option("--by", arguments->by,
                     "Instead of the report, counts and latencies as stat --by has them: rows for "
                     "each comm, cgroup, pid, object or signal")
        ->check(CLI::IsMember(by_names()))
        ->excludes(html);
    declare_fail_on(*report_app, arguments->fail_on);
    report_app->footer(R"(Examples:
  ipcscope report                        of ipcscope.ipcs
  ipcscope report --json t.ipcs | jq .findings
  ipcscope report --format html -o t.html t.ipcs
  ipcscope report --sort latency t.ipcs
  ipcscope report --by comm --top 10 t.ipcs
  ipcscope report --fail-on warning t.ipcs)");
    return [arguments] { return report(completed(*arguments)); };
}

Run declare_dump(CLI::App& app)
{
    auto arguments = std::make_shared<DumpArguments>();
    CLI::App* dump_app =
        app.add_subcommand("dump", "Every record of a capture, one JSON object a line");
    declare_input(*dump_app, arguments->file);
    dump_app->add_flag("--json-schema", arguments->json_schema,
                       "Print the JSON Schema of the lines instead");
    dump_app->footer(R"(Examples:
  ipcscope dump t.ipcs | jq 'select(.kind == "signal_generate")')");
    return [arguments] { return dump(*arguments); };
}

}  // namespace ipcscope::cli
