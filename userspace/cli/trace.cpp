// SPDX-License-Identifier: GPL-2.0-only
// ipcscope trace: one line an event as it happens, the report at the end.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "aggregate/pipeline.hpp"
#include "base/clock.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "render/render.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    LiveArguments live;
    std::vector<std::string> families;
    bool wide = false;
    bool json = false;
    bool no_report = false;
};

/// Prints lines; remembers the first failure (a closed pipe), after which it
/// prints nothing more.
class Lines {
public:
    Lines(const render::LiveOptions& options, bool json)
        : options_(options), json_(json), start_ns_(monotonic_ns())
    {
    }

    void header()
    {
        if (!json_) {
            out(render::live_header(options_));
        }
    }
    void event(const decode::Event& event)
    {
        if (json_) {
            out(render::json_line(event));
            return;
        }
        symbols_.note(event);
        if (auto line = render::live_line(event, start_ns_, options_, &symbols_)) {
            out(*line);
        }
    }
    void interval(const correlate::Interval& interval)
    {
        if (json_) {
            return;
        }
        if (auto line = render::live_line(interval, start_ns_, options_)) {
            out(*line);
        }
    }
    const Result<void>& result() const { return result_; }

private:
    void out(const std::string& line)
    {
        if (result_) {
            result_ = print(line + "\n");
        }
    }

    render::LiveOptions options_;
    bool json_;
    std::uint64_t start_ns_;
    render::Symbols symbols_;
    Result<void> result_;
};

/// Ends the trace where nobody reads the lines any more.
class UntilUnread final : public source::Sink {
public:
    UntilUnread(source::Sink& next, const Lines& lines) : next_(next), lines_(lines) {}

    Result<void> host(const source::Host& host) override { return next_.host(host); }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        return next_.records(cpu, bytes);
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        auto done = next_.watermark(time_ns);
        return lines_.result() ? done : lines_.result();
    }
    Result<void> ledger(const source::Ledger& ledger) override { return next_.ledger(ledger); }
    Result<void> end(std::uint64_t time_ns) override { return next_.end(time_ns); }

private:
    source::Sink& next_;
    const Lines& lines_;
};

bool asked(const Arguments& arguments, const char* family)
{
    return arguments.families.empty() ||
           std::ranges::find(arguments.families, family) != arguments.families.end();
}

int trace(Arguments& arguments)
{
    if (auto settled = settle(arguments.live); !settled) {
        return complain(settled.error());
    }
    auto& options = arguments.live.options;
    options.signals = asked(arguments, "signals");
    options.pipes = asked(arguments, "pipes");
    options.kills = asked(arguments, "kills");
    render::LiveOptions live;
    live.colour = colour_wanted();
    live.utf8 = utf8_wanted();
    live.wide = arguments.wide;
    live.signals = options.signals;
    live.pipes = options.pipes;
    live.kills = options.kills;

    Lines lines(live, arguments.json);
    aggregate::Analysis analysis(
        {[&](const decode::Event& event) { lines.event(event); },
         [&](const correlate::Interval& interval) { lines.interval(interval); }});
    UntilUnread until(analysis, lines);
    WithLosses sink(until);
    lines.header();
    const auto done = run_live(arguments.live, sink, std::chrono::milliseconds(50));
    if (!done) {
        return complain(done.error());
    }
    const aggregate::Report report = analysis.report();
    if (!arguments.no_report && !arguments.json) {
        render::TextOptions text;
        text.colour = live.colour;
        text.utf8 = live.utf8;
        if (auto printed = print("\n" + render::text(report, text)); !printed) {
            return complain(printed.error());
        }
    }
    return sink.exit_status(*done, arguments.live.on_loss);
}

}  // namespace

Run declare_trace(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* trace_app = app.add_subcommand(
        "trace", "Show events as they happen until Ctrl-C, then the report");
    declare_live(*trace_app, arguments->live);
    trace_app->add_flag("-w,--wide", arguments->wide, "More columns than fit in 80");
    trace_app->add_flag("--json", arguments->json, "Every record as a JSON object on a line");
    trace_app->add_flag("--no-report", arguments->no_report, "No report at the end");
    trace_app->add_option("what", arguments->families,
                          "signals, pipes, kills (default: all); a command goes after --")
        ->check(CLI::IsMember({"signals", "pipes", "kills"}));
    return [arguments, command] {
        arguments->live.command = command;
        return trace(*arguments);
    };
}

}  // namespace ipcscope::cli
