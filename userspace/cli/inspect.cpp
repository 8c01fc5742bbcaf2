// SPDX-License-Identifier: GPL-2.0-only
// ipcscope inspect: what a process has to do with others at this moment, without a trace.
#include <memory>

#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "inspect/inspector.hpp"
#include "render/inspect.hpp"

namespace ipcscope::cli {
namespace {

struct Arguments {
    std::uint32_t pid = 0;
    bool has_pid = false;
    bool ipc = false;
    bool json = false;
    std::size_t top = 0;
};

Result<std::string> inspected(const Arguments& arguments)
{
    render::TextOptions options = text_options();
    options.top = arguments.top;
    if (arguments.ipc) {
        const auto spaces = inspect::ipc_namespaces();
        return arguments.json ? render::ipc_json(spaces) : render::ipc_text(spaces, options);
    }
    if (!arguments.has_pid) {
        return fail(Exit::usage, "inspect: which process? ipcscope inspect PID, or --ipc");
    }
    inspect::Inspector inspector(static_cast<std::uint32_t>(getpid()));
    return inspector.look(arguments.pid).map([&](const inspect::Process& process) {
        return arguments.json ? render::inspect_json(process)
                              : render::inspect_text(process, options);
    });
}

int run(const Arguments& arguments)
{
    // As of report, JSON is for programs: it is not paged.
    const auto done = inspected(arguments).and_then([&](const std::string& text) {
        return arguments.json ? print(text) : print_paged(text);
    });
    return done ? static_cast<int>(Exit::ok) : print_error(done.error());
}

}  // namespace

Run declare_inspect(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* inspect =
        app.add_subcommand("inspect", "What a process waits for, and who is at the other end");
    CLI::Option* word = inspect->add_option("PID", arguments->pid, "A process, or one of its threads");
    CLI::Option* option = inspect->add_option("-p,--pid", arguments->pid, "The same")
                              ->type_name("PID")->excludes(word);
    inspect
        ->add_flag("--ipc", arguments->ipc,
                   "The System V objects and POSIX message queues of each IPC namespace")
        ->excludes(word)->excludes(option);
    inspect->add_flag("--json", arguments->json, "JSON, schema ipcscope.inspect/1");
    inspect->add_option("--top", arguments->top,
                        "At most this many threads and objects; 0: all")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    inspect->footer("Loads nothing and traces nothing: it reads /proc, and opens no object.\n\n"
                    "Examples:\n"
                    "  ipcscope inspect 4123\n"
                    "  ipcscope inspect --ipc --json");
    return [arguments, word, option] {
        arguments->has_pid = word->count() + option->count() != 0;
        return run(*arguments);
    };
}

}  // namespace ipcscope::cli
