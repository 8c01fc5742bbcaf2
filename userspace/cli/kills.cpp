// SPDX-License-Identifier: GPL-2.0-only
// ipcscope kills: who is being ended, by whom, and how long it takes.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>

#include "aggregate/analysis.hpp"
#include "base/family.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/forwarding_sink.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "cli/option_values.hpp"
#include "cli/snapshot_clock.hpp"
#include "cli/terminal.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/live.hpp"
#include "diagnose/known_until.hpp"
#include "render/live_lines.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    LiveArguments live;
    std::uint64_t slow_ns = 0;
    LineArguments lines;
};

/// Shows deaths, and the findings about them, as they come to stand.
class KillsSink final : public ForwardingSink {
public:
    KillsSink(aggregate::Analysis& analysis, const Arguments& arguments)
        : ForwardingSink(analysis),
          analysis_(analysis),
          options_(live_options(arguments.lines)),
          lines_(options_, {}, [this](const std::string& line) { out(line); }),
          slow_ns_(arguments.slow_ns),
          deaths_(arguments.slow_ns)
    {
    }

    Result<void> host(const source::Host& host) override
    {
        lines_.start(host.start_ns, host.realtime_offset_ns);
        out(render::kills_header(options_));
        return ForwardingSink::host(host);
    }
    /// Ends the trace once standard output cannot be written.
    Result<void> watermark(std::uint64_t time_ns) override
    {
        auto done = ForwardingSink::watermark(time_ns);
        clock_.run([&] { show(analysis_.snapshot(), time_ns, false); });
        return result_ ? done : result_;
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        auto done = ForwardingSink::end(time_ns);
        show(analysis_.report(), time_ns, true);
        return result_ ? done : result_;
    }

private:
    void show(const aggregate::Report& report, std::uint64_t now_ns, bool last)
    {
        for (const diagnose::LiveDeath& death : deaths_.of(report.deaths, now_ns, last)) {
            lines_.death(death);
        }
        const std::uint64_t shown_ns = last ? now_ns : diagnose::known_until_ns(now_ns);
        const diagnose::Findings findings = diagnose::diagnose(report);
        // At the end, no record is missing any more.
        for (const diagnose::Finding& finding : findings_.of(findings, last ? UINT64_MAX : now_ns)) {
            if (finding.duration_ns >= slow_ns_) {
                // One that goes on is as of now, what has ended as of then.
                lines_.finding(finding, std::clamp(plus(finding.at_ns, finding.duration_ns),
                                                   shown_ns, now_ns));
            }
        }
    }
    void out(const std::string& line)
    {
        if (result_) {
            result_ = print(line + "\n");
        }
    }

    aggregate::Analysis& analysis_;
    render::LiveOptions options_;
    render::LiveLines lines_;
    std::uint64_t slow_ns_;
    diagnose::NewDeaths deaths_;
    diagnose::NewFindings findings_;
    SnapshotClock clock_;
    Result<void> result_;
};

int kills(Arguments& arguments)
{
    arguments.live.options.families = IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_KILLS;
    if (auto valid = validate(arguments.live); !valid) {
        return print_error(valid.error());
    }
    aggregate::Analysis analysis;
    KillsSink kills_sink(analysis, arguments);
    LossTracker sink(kills_sink);
    const auto done = run_live(arguments.live, sink, std::chrono::milliseconds(50));
    if (!done) {
        return print_error(done.error());
    }
    return sink.exit_status(*done, arguments.live.on_loss);
}

}  // namespace

Run declare_kills(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* kills_app = app.add_subcommand(
        "kills", "Show each process that a signal should end, who sent it, and how long it takes");
    declare_filters(*kills_app, arguments->live);
    declare_signals(*kills_app, arguments->live);
    declare_stuck_after(*kills_app, arguments->live);
    declare_recording(*kills_app, arguments->live);
    declare_duration(*kills_app, "--slow", arguments->slow_ns,
                     "Only processes that are still there so long after the signal (ms, s, min)");
    declare_lines(*kills_app, arguments->lines);
    kills_app->footer(R"(Examples:
  ipcscope kills                     until Ctrl-C
  ipcscope kills --slow 1s -d 3600   what does not die within a second
  ipcscope kills -- docker stop web)");
    return [arguments, command] {
        arguments->live.command = command;
        return kills(*arguments);
    };
}

}  // namespace ipcscope::cli
