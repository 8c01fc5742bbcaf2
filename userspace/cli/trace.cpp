// SPDX-License-Identifier: GPL-2.0-only
// ipcscope trace: prints events as they happen, one per line, then the report.
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "aggregate/analysis.hpp"
#include "base/family.hpp"
#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/fail_on.hpp"
#include "cli/forwarding_sink.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "cli/option_values.hpp"
#include "cli/snapshot_clock.hpp"
#include "cli/tee_sink.hpp"
#include "cli/terminal.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/line_filter.hpp"
#include "diagnose/live.hpp"
#include "render/live_lines.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    LiveArguments live;
    std::string fail_on;
    std::string output;   ///< empty: none
    LineArguments lines;
    bool json = false;
    bool no_report = false;
    diagnose::LineFilter filter;
};

/// Prints lines until the first write error (a closed pipe), which it keeps.
class LinePrinter {
public:
    explicit LinePrinter(bool json) : json_(json) {}

    void out(const std::string& line)
    {
        if (result_) {
            result_ = print(line + "\n");
        }
    }
    bool json() const { return json_; }
    const Result<void>& result() const { return result_; }

private:
    bool json_;
    Result<void> result_;
};

/// An Analysis whose events and intervals become lines.
aggregate::Analysis::Observer observer_of(render::LiveLines& lines, LinePrinter& printer)
{
    if (printer.json()) {
        return {[&](const decode::Event& event) { printer.out(render::json_line(event)); }, {}};
    }
    return {[&](const decode::Event& event) { lines.event(event); },
            [&](const correlate::Interval& interval) { lines.interval(interval); },
            [&](const correlate::SignalInterval& signal, std::uint64_t at_ns) {
                lines.waiting(signal, at_ns);
            },
            lines.waiting_after_ns()};
}

/// Shows findings as they come to stand.
class LiveFindings {
public:
    LiveFindings(const aggregate::Analysis& analysis, render::LiveLines& lines)
        : analysis_(analysis), lines_(lines)
    {
    }

    void look(std::uint64_t now_ns)
    {
        clock_.run([&] {
            const auto findings = diagnose::diagnose(analysis_.snapshot());
            for (const diagnose::Finding& finding : new_.of(findings, now_ns)) {
                lines_.finding(finding, now_ns);
            }
        });
    }

private:
    const aggregate::Analysis& analysis_;
    render::LiveLines& lines_;
    diagnose::NewFindings new_;
    SnapshotClock clock_;
};

/// Ends the trace once standard output cannot be written.
class LiveSink final : public ForwardingSink {
public:
    LiveSink(source::Sink& next, render::LiveLines& lines, const LinePrinter& printer,
             LiveFindings* findings)
        : ForwardingSink(next), lines_(lines), printer_(printer), findings_(findings)
    {
    }

    Result<void> host(const source::Host& host) override
    {
        lines_.start(host.start_ns, host.realtime_offset_ns);
        if (!printer_.json()) {
            lines_.header();   // the trace has begun: no error is below it
        }
        return ForwardingSink::host(host);
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        auto done = ForwardingSink::watermark(time_ns);
        if (findings_ != nullptr) {
            findings_->look(time_ns);
        }
        return printer_.result() ? done : printer_.result();
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        lines_.end(time_ns);
        return ForwardingSink::end(time_ns);
    }

private:
    render::LiveLines& lines_;
    const LinePrinter& printer_;
    LiveFindings* findings_;   ///< nullptr: not shown
};

/// The capture of -o; nullptr where there is none.
Result<std::unique_ptr<capture::Writer>> create_capture(const std::string& path)
{
    if (path.empty()) {
        return nullptr;
    }
    if (path == "-") {
        return fail(Exit::usage, "trace -o -: standard output has the lines: give -o FILE, or use "
                                 "record -o -");
    }
    return capture::Writer::create(path, false);
}

int trace(Arguments& arguments)
{
    arguments.live.stdout_is_data = arguments.json;
    if (auto valid = validate(arguments.live); !valid) {
        return print_error(valid.error());
    }
    const auto fail_on = parse_fail_on(arguments.fail_on);
    if (!fail_on) {
        return print_error(fail_on.error());
    }
    const auto writer = create_capture(arguments.output);
    if (!writer) {
        return print_error(writer.error());
    }
    auto& options = arguments.live.options;
    render::LiveOptions live = live_options(arguments.lines);
    live.families = options.families;

    LinePrinter printer(arguments.json);
    render::LiveLines lines(live, arguments.filter,
                            [&](const std::string& line) { printer.out(line); });
    aggregate::Analysis analysis(observer_of(lines, printer));
    LiveFindings live_findings(analysis, lines);
    std::optional<TeeSink> tee;
    if (*writer) {
        tee.emplace(analysis, **writer);
    }
    source::Sink& next = tee ? static_cast<source::Sink&>(*tee) : analysis;
    LiveSink live_sink(next, lines, printer, arguments.json ? nullptr : &live_findings);
    LossTracker sink(live_sink);
    const auto done = run_live(arguments.live, sink, std::chrono::milliseconds(50));
    if (!done) {
        return print_error(done.error());
    }
    const aggregate::Report report = analysis.report();
    const diagnose::Findings findings = diagnose::diagnose(report);
    if (!arguments.no_report && !arguments.json) {
        const std::string text = "\n" + render::text(report, findings, text_options());
        if (auto printed = print(text); !printed) {
            return print_error(printed.error());
        }
    }
    const int status = sink.exit_status(*done, arguments.live.on_loss);
    return status == 0 ? fail_on->status(findings, status) : status;
}

}  // namespace

Run declare_trace(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* trace_app = app.add_subcommand(
        "trace", "Show events as they happen until Ctrl-C, then the report");
    declare_live(*trace_app, arguments->live);
    trace_app->add_option("-o,--output", arguments->output,
                          "Also write the records to a capture file, as record does")->type_name("FILE");
    declare_lines(*trace_app, arguments->lines);
    CLI::Option* json = trace_app->add_flag("--json", arguments->json,
                                            "Every record as a JSON object on a line; the command's "
                                            "own output goes to standard error")
                            ->excludes(trace_app->get_option("--wide"))
                            ->excludes(trace_app->get_option("--wall-clock"));
    trace_app
        ->add_flag("-x,--failed", arguments->filter.failed,
                   "Lines only of signals that had no effect and of calls that failed")
        ->excludes(json);
    declare_duration(*trace_app, "--min", arguments->filter.least_ns,
                     "Lines only of signals that waited, and of calls that took, so long (ms, s, "
                     "min)")
        ->excludes(json);
    trace_app->add_flag("--no-report", arguments->no_report, "No report at the end");
    declare_fail_on(*trace_app, arguments->fail_on);
    trace_app->add_option("what", arguments->live.families,
                          "The same as --trace; a command goes after --")
        ->delimiter(',')->check(CLI::IsMember(family_names()));
    trace_app->footer(R"(Examples:
  ipcscope trace                         everything, until Ctrl-C
  ipcscope trace -s TERM,KILL signals    who sends these, and what they do
  ipcscope trace -s '!URG,!CHLD' signals
  ipcscope trace -T -p 1234 -d 60 --min 10ms pipes
  ipcscope trace -o t.ipcs kills         and keep the records for report)");
    return [arguments, command] {
        arguments->live.command = command;
        return trace(*arguments);
    };
}

}  // namespace ipcscope::cli
