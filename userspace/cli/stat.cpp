// SPDX-License-Identifier: GPL-2.0-only
// ipcscope stat: counts and latencies that the kernel has aggregated.
#include <algorithm>
#include <cmath>
#include <memory>

#include <poll.h>

#include <fmt/format.h>

#include "aggregate/stat_report.hpp"
#include "base/atomic_file.hpp"
#include "base/clock.hpp"
#include "cli/backend.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/output_file.hpp"
#include "cli/terminal.hpp"
#include "render/stat.hpp"
#include "source/stat_names.hpp"

namespace ipcscope::cli {
namespace {

constexpr double kLeastInterval_s = 0.01, kMostInterval_s = 365 * 86400.0;
constexpr std::chrono::milliseconds kPeriod{50};   // between looks at the command
constexpr mode_t kPromMode = 0644;   // node_exporter is another user

struct Arguments {
    LiveArguments live;
    source::StatOptions stat;
    double interval_s = 0;
    std::int64_t count = 0;
    bool has_interval = false, has_count = false;
    bool json = false;
    std::string by;   ///< empty: nothing
    std::string prom; ///< file; empty: none
    std::size_t top = 20;
};

/// Reads at each interval's end, and once more when the trace has ended.
class StatSession final : public Session {
public:
    explicit StatSession(const Arguments& arguments)
        : arguments_(arguments), names_(arguments.stat.by)
    {
    }

    Result<void> open(const source::Options& options) override
    {
        auto opened = open_stat(arguments_.live.backend, options);
        if (!opened) {
            return tl::unexpected<Error>(opened.error());
        }
        source_ = std::move(*opened);
        before_.time_ns = start_ns();
        next_ns_ = start_ns() + interval_ns();
        return {};
    }

    Result<bool> poll(std::chrono::milliseconds timeout) override
    {
        if (!arguments_.has_interval) {
            wait(timeout);
            return true;
        }
        const std::uint64_t now = monotonic_ns();
        if (now < next_ns_) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                std::chrono::nanoseconds(next_ns_ - now));
            wait(std::min(left, timeout));
            return true;
        }
        next_ns_ += (now - next_ns_) / interval_ns() * interval_ns() + interval_ns();
        ++intervals_;
        const bool more = !arguments_.has_count || intervals_ < arguments_.count;
        return show(false).map([&] { return more; });
    }

    Result<void> finish() override
    {
        return source_->stop().and_then([&] {
            before_ = {};
            before_.time_ns = start_ns();
            return show(true);
        });
    }

    void close() override { source_.reset(); }
    std::uint64_t start_ns() const override { return source_ ? source_->host().start_ns : 0; }
    /// Of the whole trace.
    std::uint64_t lost() const { return lost_; }

private:
    std::uint64_t interval_ns() const
    {
        return static_cast<std::uint64_t>(std::llround(arguments_.interval_s * 1e9));
    }

    /// A signal ends it.
    static void wait(std::chrono::milliseconds timeout)
    {
        ::poll(nullptr, 0, static_cast<int>(timeout.count()));
    }

    /// For Prometheus all that was counted: it makes differences of its own.
    Result<void> show(bool final)
    {
        const bool all = !arguments_.prom.empty();
        if (all) {
            before_ = {};
            before_.time_ns = start_ns();
        }
        auto now = source_->read();
        if (!now) {
            return tl::unexpected<Error>(now.error());
        }
        aggregate::StatReport report = aggregate::stat_report(
            *now, before_, arguments_.stat.by,
            [&](const ipcscope_stat_key& key) { return names_.of(key); });
        report.host = source_->host();
        report.start_ns = start_ns();
        report.final = final;
        report.max_rows = arguments_.stat.max_rows;
        if (final) {
            report.pairings = aggregate::stat_pairings(*now);
            lost_ = report.lost();
        }
        before_ = std::move(*now);
        return all ? write_prom(report) : print(text_of(report));
    }

    Result<void> write_prom(const aggregate::StatReport& report) const
    {
        return AtomicFile::create(arguments_.prom, kPromMode).and_then([&](AtomicFile file) {
            return file.write(render::stat_prom(report)).and_then([&] { return file.commit(); });
        });
    }

    std::string text_of(const aggregate::StatReport& report) const
    {
        if (arguments_.json) {
            return render::stat_json(report);
        }
        render::TextOptions options = text_options();
        options.top = arguments_.top;
        return render::stat_text(report, options);
    }

    const Arguments& arguments_;
    source::StatNames names_;
    std::unique_ptr<source::StatSource> source_;
    source::Stat before_;            ///< as of the last interval's end
    std::uint64_t next_ns_ = 0;      ///< end of this interval
    std::int64_t intervals_ = 0;     ///< that have been shown
    std::uint64_t lost_ = 0;
};

Result<void> validate_stat(Arguments& arguments)
{
    if (arguments.has_interval && !(arguments.interval_s >= kLeastInterval_s &&
                                    arguments.interval_s <= kMostInterval_s)) {
        return fail(Exit::usage, fmt::format("stat: an interval of {} s: give seconds, from {} to "
                                             "{} (a year)",
                                             arguments.interval_s, kLeastInterval_s,
                                             kMostInterval_s));
    }
    if (arguments.has_count && arguments.count < 1) {
        return fail(Exit::usage, fmt::format("stat: a count of {}: give how many intervals are "
                                             "shown, at least 1",
                                             arguments.count));
    }
    if (!arguments.prom.empty()) {
        if (!arguments.has_interval) {
            return fail(Exit::usage, "stat --prom: how often? give an interval in seconds: stat "
                                     "--prom FILE 15");
        }
        if (arguments.by == "pid" || arguments.by == "object") {
            return fail(Exit::usage, fmt::format("stat --prom --by {}: there is no end of them, "
                                                 "and each would be a series: choose comm or "
                                                 "cgroup", arguments.by));
        }
        // A folder that is not there is reported before the trace.
        if (auto file = spare_capture("stat --prom", arguments.prom).and_then([&] {
                return AtomicFile::create(arguments.prom, kPromMode);
            });
            !file) {
            return tl::unexpected<Error>(file.error());
        }
    }
    arguments.live.options.families = IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_PIPES;
    arguments.stat.by = stat_by(arguments.by);
    arguments.live.options.stat = arguments.stat;
    return validate(arguments.live);
}

int stat(Arguments& arguments)
{
    if (auto valid = validate_stat(arguments); !valid) {
        return print_error(valid.error());
    }
    arguments.live.stdout_is_data = arguments.json;
    StatSession session(arguments);
    const auto done = run_session(arguments.live, session, kPeriod);
    if (!done) {
        return print_error(done.error());
    }
    return arguments.live.on_loss == "exit" && session.lost() > 0 ? static_cast<int>(Exit::lost)
                                                                  : *done;
}

/// A kill is a signal: what delays it is no sum.  Handlers have no cells.
std::vector<std::string> stat_families()
{
    std::vector<std::string> names = family_names();
    std::erase(names, "kills");
    std::erase(names, "handlers");
    return names;
}

}  // namespace

std::vector<std::string> stat_by_names()
{
    std::vector<std::string> names;
    for (unsigned by = IPCSCOPE_STAT_BY_NONE + 1; by < IPCSCOPE_STAT_BY_COUNT; ++by) {
        names.emplace_back(render::stat_by_name(by));
    }
    return names;
}

unsigned stat_by(const std::string& name)
{
    const auto names = stat_by_names();
    const auto at = std::ranges::find(names, name);
    return at == names.end() ? IPCSCOPE_STAT_BY_NONE
                             : static_cast<unsigned>(at - names.begin()) + 1;
}

Run declare_stat(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* stat_app = app.add_subcommand(
        "stat", "Count and time in the kernel, without records; print every interval");
    declare_selection(*stat_app, arguments->live, stat_families(), "signals,pipes");
    CLI::Option* by = stat_app->add_option("--by", arguments->by,
                         "Rows for each comm, cgroup, pid or object: of who takes the signal, or calls")
        ->check(CLI::IsMember(stat_by_names()));
    stat_app->add_option("--max-rows", arguments->stat.max_rows,
                         "Rows that can be counted, of 11 KiB for each CPU")
        ->check(CLI::Range(16, 16384))->capture_default_str();
    stat_app->add_option("--top", arguments->top, "With --by: rows to show; 0 shows all")
        ->check(CLI::NonNegativeNumber)->capture_default_str()
        ->needs(by);
    CLI::Option* json = stat_app->add_flag("--json", arguments->json,
                                           "One JSON object a line, for each interval; the command's "
                                           "own output goes to standard error");
    stat_app
        ->add_option("--prom", arguments->prom,
                     "Every interval, replace this file with all counts so far, for the textfile "
                     "collector of Prometheus's node_exporter; prints nothing")
        ->type_name("FILE")->excludes(json);
    declare_backend(*stat_app, arguments->live);
    CLI::Option* interval =
        stat_app->add_option("interval", arguments->interval_s, "Seconds; without it: at the end");
    CLI::Option* count =
        stat_app->add_option("count", arguments->count, "Intervals, after which it ends");
    stat_app->footer(R"(Examples:
  ipcscope stat 1                        every second, until Ctrl-C
  ipcscope stat --by comm 1 10           ten times
  ipcscope stat --by object -- make -j4
  ipcscope stat --by cgroup --prom /run/textfile/ipcscope.prom 15)");
    return [arguments, command, interval, count] {
        arguments->live.command = command;
        arguments->has_interval = interval->count() > 0;
        arguments->has_count = count->count() > 0;
        return stat(*arguments);
    };
}

}  // namespace ipcscope::cli
