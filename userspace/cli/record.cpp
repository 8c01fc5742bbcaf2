// SPDX-License-Identifier: GPL-2.0-only
// ipcscope record: rings → capture file, nothing decoded on the way.
#include <memory>

#include <fmt/format.h>

#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/losses.hpp"
#include "render/render.hpp"
#include "base/units.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    LiveArguments live;
    std::string output = "ipcscope.ipcs";
    bool force = false;
    bool quiet = false;
};

int record(Arguments& arguments)
{
    if (auto valid = validate(arguments.live); !valid) {
        return print_error(valid.error());
    }
    auto writer = capture::Writer::create(arguments.output, arguments.force);
    if (!writer) {
        return print_error(writer.error());
    }
    LossTracker sink(**writer);
    const auto done = run_live(arguments.live, sink, std::chrono::milliseconds(100));
    if (!done) {
        return print_error(done.error());
    }
    if (!arguments.quiet) {
        print_stderr(fmt::format("ipcscope: {} records, {} in {}; {}\n",
                         grouped((*writer)->count()),
                         bytes((*writer)->bytes()), arguments.output,
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
                           "Capture file; - is standard output")->capture_default_str();
    record_app->add_flag("--force", arguments->force, "Replace an existing file");
    record_app->add_flag("-q,--quiet", arguments->quiet, "No closing line");
    record_app->positionals_at_end();   // the command's options are its own
    record_app->add_option("command", arguments->live.command,
                           "Command to run and trace, with all its children");
    return [arguments, command] {
        auto& words = arguments->live.command;
        words.insert(words.end(), command.begin(), command.end());
        return record(*arguments);
    };
}

}  // namespace ipcscope::cli
