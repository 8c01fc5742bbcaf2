// SPDX-License-Identifier: GPL-2.0-only
// ipcscope record: rings → capture file, nothing decoded on the way.
#include <algorithm>
#include <memory>

#include <unistd.h>

#include <fmt/format.h>

#include "capture/capture.hpp"
#include "capture/file.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "render/render.hpp"
#include "base/units.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    LiveArguments live;
    std::string output = kStandardCapture;
    bool force = false;
    bool quiet = false;
};

/// On a terminal, until the end: what has been recorded so far, on one line.  Not with a
/// command, whose own output is there.
class ProgressLine final : public ForwardingSink {
public:
    ProgressLine(LossTracker& losses, const capture::Writer& writer, bool shown)
        : ForwardingSink(static_cast<source::Sink&>(losses)), losses_(losses), writer_(writer), shown_(shown)
    {
    }
    ~ProgressLine() override { clear(); }

    Result<void> host(const source::Host& host) override
    {
        start_ns_ = host.start_ns;
        return ForwardingSink::host(host);
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        if (shown_ && time_ns >= next_ns_) {
            next_ns_ = time_ns + kPeriodNs;
            clear();
            print_stderr(fmt::format("ipcscope: tracing for {} s, {} records, {}; Ctrl-C ends it",
                                     (time_ns - std::min(time_ns, start_ns_)) / 1'000'000'000,
                                     grouped(writer_.count()), losses_.summary()));
        }
        return ForwardingSink::watermark(time_ns);
    }

private:
    static constexpr std::uint64_t kPeriodNs = 500'000'000;

    void clear() const
    {
        if (shown_) {
            print_stderr("\r\x1b[K");
        }
    }

    LossTracker& losses_;
    const capture::Writer& writer_;
    bool shown_;
    std::uint64_t start_ns_ = 0, next_ns_ = 0;
};

/// `words`: before any "--".
Result<void> check_command(const std::vector<std::string>& words)
{
    const auto names = family_names();
    if (words.empty() || !std::ranges::count(names, words[0])) {
        return {};
    }
    return fail(Exit::usage, fmt::format("record {0}: to trace {0} alone it is record --trace {0}; "
                                         "a program of that name goes after --",
                                         words[0]));
}

int record(Arguments& arguments)
{
    if (auto valid = validate(arguments.live); !valid) {
        return print_error(valid.error());
    }
    arguments.live.stdout_is_data = arguments.output == "-";
    arguments.live.quiet = arguments.quiet;
    auto writer = capture::Writer::create(arguments.output, arguments.force);
    if (!writer) {
        return print_error(writer.error());
    }
    LossTracker sink(**writer);
    const bool shown = !arguments.quiet && arguments.live.command.empty() && isatty(STDERR_FILENO);
    const auto done = [&] {
        ProgressLine progress(sink, **writer, shown);
        return run_live(arguments.live, progress, std::chrono::milliseconds(100));
    }();
    if (!done) {
        return print_error(done.error());
    }
    if (!arguments.quiet) {
        print_stderr(fmt::format("ipcscope: {} records, {} in {}; {}\n",
                         grouped((*writer)->count()),
                         bytes((*writer)->bytes()), capture::shown_output(arguments.output),
                         sink.summary()));
        if (arguments.output != "-") {
            print_stderr(
                fmt::format("ipcscope: see it with: ipcscope report {}\n", arguments.output));
        }
    }
    return sink.exit_status(*done, arguments.live.on_loss);
}

}  // namespace

Run declare_record(CLI::App& app, std::vector<std::string> command)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* record_app = app.add_subcommand(
        "record", "Trace into a capture file until Ctrl-C, or while a command runs");
    declare_live(*record_app, arguments->live);
    record_app->add_option("-o,--output", arguments->output,
                           "Capture file; - is standard output: the command's own then goes to "
                           "standard error")->type_name("FILE")->capture_default_str();
    record_app->add_flag("--force", arguments->force, "Replace an existing file; else a capture is kept as FILE.old");
    record_app->add_flag("-q,--quiet", arguments->quiet, "No progress and no closing line");
    record_app->positionals_at_end();   // the command's options are its own
    record_app->add_option("command", arguments->live.command,
                           "Command to run and trace, with all its children");
    record_app->footer(R"(Examples:
  ipcscope record                        everything, until Ctrl-C
  ipcscope record -d 10 -p 1234          one process, for 10 s
  ipcscope record --trace kills -o k.ipcs
  ipcscope record -- make -j4            a command and all its children
  ipcscope record -o - -- make | ipcscope report -
  ipcscope report)");
    return [arguments, command] {
        auto& words = arguments->live.command;
        if (auto checked = check_command(words); !checked) {
            return print_error(checked.error());
        }
        words.insert(words.end(), command.begin(), command.end());
        return record(*arguments);
    };
}

}  // namespace ipcscope::cli
