// SPDX-License-Identifier: GPL-2.0-only
// ipcscope pipes: the stages of each pipeline, and who waits for whom, as it runs.
#include <chrono>
#include <cmath>
#include <memory>

#include <unistd.h>

#include <fmt/format.h>

#include "aggregate/analysis.hpp"
#include "base/family.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/forwarding_sink.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "cli/option_values.hpp"
#include "cli/stage_calls.hpp"
#include "cli/terminal.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/live_pipelines.hpp"
#include "render/render.hpp"

namespace ipcscope::cli {
namespace {

constexpr std::uint64_t kLeastInterval_ns = 100'000'000;
constexpr std::uint64_t kMostInterval_ns = 3'600'000'000'000;
constexpr const char* kHome = "\x1b[H\x1b[2J";   // a terminal: clear it

struct Arguments {
    LiveArguments live;
    std::uint64_t interval_ns = 1'000'000'000;
    std::size_t top = 10;
    bool wide = false;
};

/// Shows the pipelines once in each interval.
class PipesSink final : public ForwardingSink {
public:
    PipesSink(aggregate::Analysis& analysis, const Arguments& arguments)
        : ForwardingSink(analysis),
          analysis_(analysis),
          arguments_(arguments),
          options_(live_options({.wide = arguments.wide})),
          terminal_(isatty(STDOUT_FILENO) == 1)
    {
    }

    Result<void> host(const source::Host& host) override
    {
        start_ns_ = host.start_ns;
        next_ns_ = start_ns_ + arguments_.interval_ns;
        return ForwardingSink::host(host);
    }
    /// Ends the trace once standard output cannot be written.
    Result<void> watermark(std::uint64_t time_ns) override
    {
        auto done = ForwardingSink::watermark(time_ns);
        if (time_ns >= next_ns_) {
            show(analysis_.snapshot(), time_ns);
            next_ns_ = std::max(next_ns_ + arguments_.interval_ns, time_ns);
        }
        return result_ ? done : result_;
    }
    /// What was under way has its time by then.  A moment after the last picture there is
    /// nothing to see, but for what had not returned until now.
    Result<void> end(std::uint64_t time_ns) override
    {
        auto done = ForwardingSink::end(time_ns);
        if (!shown_ || since(time_ns, last_ns_) >= arguments_.interval_ns / 2) {
            show(analysis_.report(), time_ns);
        }
        return result_ ? done : result_;
    }

private:
    void show(const aggregate::Report& report, std::uint64_t now_ns)
    {
        const diagnose::Findings findings = diagnose::diagnose(report);
        auto pipelines = pipelines_.of(report, findings, now_ns);
        stage_calls_.add_to(pipelines);
        shown_ = !pipelines.empty();
        last_ns_ = now_ns;
        const std::string page = render::pipelines_page(pipelines, now_ns, start_ns_,
                                                        arguments_.top, options_);
        if (result_) {
            result_ = print((terminal_ ? kHome : "") + page);
        }
    }

    aggregate::Analysis& analysis_;
    const Arguments& arguments_;
    render::LiveOptions options_;
    bool terminal_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t next_ns_ = 0;
    std::uint64_t last_ns_ = 0;   ///< of the last picture
    bool shown_ = false;          ///< there was a pipeline in it
    diagnose::LivePipelines pipelines_;
    StageCalls stage_calls_;
    Result<void> result_;
};

int pipes(Arguments& arguments)
{
    arguments.live.options.families = IPCSCOPE_FAMILY_PIPES;
    if (auto valid = validate(arguments.live); !valid) {
        return print_error(valid.error());
    }
    aggregate::Analysis analysis;
    PipesSink pipes_sink(analysis, arguments);
    LossTracker sink(pipes_sink);
    const auto done = run_live(arguments.live, sink, std::chrono::milliseconds(50));
    if (!done) {
        return print_error(done.error());
    }
    return sink.exit_status(*done, arguments.live.on_loss);
}

}  // namespace

Run declare_pipes(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* pipes_app = app.add_subcommand(
        "pipes", "Show the stages of each pipeline, how fast they are, and who waits for whom");
    declare_families(*pipes_app, arguments->live, {"pipes", "unix", "eventfd", "mqueue", "sysv", "ipc"},
                     "pipes");
    declare_filters(*pipes_app, arguments->live);
    declare_recording(*pipes_app, arguments->live);
    declare_duration(*pipes_app, "--interval", arguments->interval_ns,
                     "Time between two pictures (ms, s, min) [1s]")
        ->check(CLI::Range(kLeastInterval_ns, kMostInterval_ns));
    pipes_app->add_option("--top", arguments->top, "Pipelines to show, the busiest; 0 shows all")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    pipes_app->add_flag("-w,--wide", arguments->wide, "More columns than fit in 80");
    pipes_app->footer(R"(Examples:
  ipcscope pipes                          until Ctrl-C
  ipcscope pipes --interval 5s -d 60
  ipcscope pipes -- sh -c 'yes | gzip | wc -c')");
    return [arguments, command] {
        arguments->live.command = command;
        return pipes(*arguments);
    };
}

}  // namespace ipcscope::cli
