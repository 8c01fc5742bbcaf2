// SPDX-License-Identifier: GPL-2.0-only
// ipcscope top: signals, pipes and sockets, kills and findings on a full screen.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aggregate/analysis.hpp"
#include "base/family.hpp"
#include "base/safe_text.hpp"
#include "base/units.hpp"
#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/forwarding_sink.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "cli/option_values.hpp"
#include "cli/screen.hpp"
#include "cli/snapshot_clock.hpp"
#include "cli/terminal.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/live_top.hpp"
#include "render/top.hpp"

namespace ipcscope::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLeastInterval_ns = 100'000'000;
constexpr std::uint64_t kMostInterval_ns = 3'600'000'000'000;
constexpr std::chrono::milliseconds kPeriod{50};   ///< how soon a key has its effect

struct Arguments {
    LiveArguments live;
    std::uint64_t interval_ns = 1'000'000'000;
    std::string file;    ///< empty: a trace of its own
    double speed = 0;    ///< of a replay; 0: at once
};

/// Keeps how far the trace is.
class Progress final : public ForwardingSink {
public:
    using ForwardingSink::ForwardingSink;

    Result<void> host(const source::Host& host) override
    {
        name = fmt::format("{} {}", SafeText::escape(host.hostname).view(),
                           SafeText::escape(host.kernel).view());
        start_ns = host.start_ns;
        now_ns = std::max(now_ns, start_ns);
        return ForwardingSink::host(host);
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        now_ns = std::max(now_ns, time_ns);
        return ForwardingSink::watermark(time_ns);
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        now_ns = std::max(now_ns, time_ns);
        return ForwardingSink::end(time_ns);
    }

    std::string name;   ///< of the machine
    std::uint64_t start_ns = 0;
    std::uint64_t now_ns = 0;
};

/// A trace from its records to the screen.
class TopDisplay {
public:
    TopDisplay(const Arguments& arguments, Screen& screen)
        : screen_(screen), clock_(std::chrono::nanoseconds(arguments.interval_ns))
    {
    }

    source::Sink& sink() { return losses_; }
    const Progress& progress() const { return progress_; }
    const LossTracker& losses() const { return losses_; }

    /// Takes what was typed, for which it waits at most `timeout_ms`, and shows what is new.
    /// False: it is to end.
    bool show(int timeout_ms)
    {
        const Screen::Input input = screen_.read(timeout_ms);
        for (const render::TopKey key : input.keys) {
            if (!render::press(state_, key, screen_.rows())) {
                return false;
            }
        }
        bool fresh = !input.keys.empty() || input.resized || !drawn_;
        if (!state_.frozen && !ended_) {
            clock_.run([&] {
                take(analysis_.snapshot());
                fresh = true;
            });
        }
        std::string lost = losses_.summary();
        fresh |= lost != lost_;
        lost_ = std::move(lost);
        if (fresh) {
            draw();
        }
        return !input.closed;
    }

    /// The last picture.  `why`: the source broke off.
    void end(const std::string& why)
    {
        ended_ = true;
        take(analysis_.report(why));
        drawn_ = false;
    }

private:
    void take(const aggregate::Report& report)
    {
        top_ = tables_.of(report, diagnose::diagnose(report), progress_.now_ns);
    }
    void draw()
    {
        drawn_ = true;
        screen_.draw(render::top_lines({top_, progress_.name, lost_, losses_.lost() != 0}, state_,
                                       screen_.columns(), screen_.rows(), options_));
    }

    Screen& screen_;
    render::LiveOptions options_ = live_options({});
    aggregate::Analysis analysis_;
    Progress progress_{analysis_};
    LossTracker losses_{progress_};
    SnapshotClock clock_;
    diagnose::TopTables tables_;
    diagnose::LiveTop top_;
    render::TopState state_;
    std::string lost_;
    bool drawn_ = false;
    bool ended_ = false;
};

/// A capture as a trace: as fast as it was recorded times `speed`, or at once.
class ReplaySession final : public Session {
public:
    ReplaySession(const Arguments& arguments, TopDisplay& display)
        : arguments_(arguments), display_(display)
    {
    }

    Result<void> open(const source::Options&) override
    {
        return capture::Reader::open(arguments_.file).map([this](auto reader) {
            reader_ = std::move(reader);
            begin_ = Clock::now();
        });
    }
    Result<bool> poll(std::chrono::milliseconds timeout) override
    {
        if (over_ || is_ahead()) {
            return display_.show(static_cast<int>(timeout.count()));
        }
        return reader_->poll(display_.sink(), std::chrono::milliseconds(0)).map([this](bool more) {
            if (!more) {
                over_ = true;
                display_.end(why());
            }
            return display_.show(0);
        });
    }
    Result<void> finish() override { return {}; }
    void close() override { reader_.reset(); }
    std::uint64_t start_ns() const override { return 0; }

    /// Why the capture is incomplete, as far as it was read; may be empty.
    std::string why() const { return over_ ? reader_->incomplete_why() : ""; }

private:
    bool is_ahead() const
    {
        const Progress& progress = display_.progress();
        const double traced_ns = static_cast<double>(since(progress.now_ns, progress.start_ns));
        const std::chrono::duration<double, std::nano> passed = Clock::now() - begin_;
        return arguments_.speed > 0 && traced_ns / arguments_.speed > passed.count();
    }

    const Arguments& arguments_;
    TopDisplay& display_;
    std::unique_ptr<capture::Reader> reader_;
    Clock::time_point begin_;
    bool over_ = false;
};

int replayed(Arguments& arguments, TopDisplay& display, std::optional<Screen>& screen)
{
    ReplaySession session(arguments, display);
    const auto done = run_session(arguments.live, session, kPeriod);
    const std::string why = done ? session.why() : "";
    screen.reset();   // what follows is for the terminal as it was
    if (!done) {
        return print_error(done.error());
    }
    return why.empty() ? *done
                       : print_error({Exit::input, fmt::format("{}: {}", arguments.file, why)});
}

int live(Arguments& arguments, TopDisplay& display, std::optional<Screen>& screen)
{
    screen->draw({{"ipcscope top: attaching"}});
    const auto done = run_live(arguments.live, display.sink(), kPeriod,
                               [&] { return display.show(0); });
    screen.reset();
    if (!done) {
        return print_error(done.error());
    }
    if (display.losses().lost() != 0) {
        print_stderr(fmt::format("ipcscope: {}\n", display.losses().summary()));
    }
    return display.losses().exit_status(*done, arguments.live.on_loss);
}

int top(Arguments& arguments)
{
    if (!arguments.live.command.empty()) {
        return print_error({Exit::usage, "top runs no command, whose output would be between "
                                         "its own; kills, pipes and trace do"});
    }
    if (arguments.speed > 0 && arguments.file.empty()) {
        return print_error({Exit::usage, "--speed goes with --input"});
    }
    arguments.live.quiet = true;
    if (auto valid = validate(arguments.live); !valid) {
        return print_error(valid.error());
    }
    auto opened = Screen::open();
    if (!opened) {
        return print_error(opened.error());
    }
    std::optional<Screen> screen(std::move(*opened));
    TopDisplay display(arguments, *screen);
    return arguments.file.empty() ? live(arguments, display, screen)
                                  : replayed(arguments, display, screen);
}

}  // namespace

Run declare_top(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    arguments->live.options.families |= IPCSCOPE_FAMILY_UNIX;
    CLI::App* top_app = app.add_subcommand(
        "top", "Show who signals whom, which pipe or socket stalls, which kill is pending: "
               "full screen");
    declare_selection(*top_app, arguments->live, family_names(), "signals,pipes,kills,unix");
    declare_stuck_after(*top_app, arguments->live);
    declare_recording(*top_app, arguments->live);
    const std::vector<CLI::Option*> of_a_trace = top_app->get_options(
        [](const CLI::Option* option) { return !option->check_lname("help"); });
    declare_duration(*top_app, "--interval", arguments->interval_ns,
                     "Time between two pictures (ms, s, min) [1s]")
        ->check(CLI::Range(kLeastInterval_ns, kMostInterval_ns));
    CLI::Option* input =
        top_app->add_option("-i,--input", arguments->file, "A capture instead of a trace")
            ->type_name("FILE");
    for (CLI::Option* option : of_a_trace) {
        input->excludes(option);
    }
    top_app->add_option("--speed", arguments->speed,
                        "With --input: replay it so many times as fast as it was recorded; "
                        "0: show its end at once")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    top_app->footer(R"(Keys: Tab or 1-4 another view, s sort, r reverse, / filter, f freeze, h help, q quit

Examples:
  ipcscope top                    until q
  ipcscope top --pid 4123 -f
  ipcscope top -i ipcscope.ipcs   a capture, as of its end)");
    return [arguments, command] {
        arguments->live.command = command;
        return top(*arguments);
    };
}

}  // namespace ipcscope::cli
