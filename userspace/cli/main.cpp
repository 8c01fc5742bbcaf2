// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <clocale>
#include <csignal>
#include <map>

#include "base/version.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/usage.hpp"

namespace {

constexpr const char kExamples[] = R"(Examples:
  ipcscope record -- sh -c 'yes | head -c 50M | wc -c'
  ipcscope report
  ipcscope kills --slow 1s
  ipcscope stat --by comm 1
  ipcscope inspect 4123
  ipcscope doctor
  ipcscope bench --quick
Each command has its own: ipcscope help COMMAND)";

/// "help COMMAND" is "COMMAND --help"; a command that there is not is left to be refused.
std::vector<std::string> words_of(char** begin, char** end,
                                  const std::map<std::string, ipcscope::cli::Run>& commands)
{
    std::vector<std::string> words(begin, end);
    if (words.empty() || words[0] != "help") {
        return words;
    }
    words.erase(words.begin());
    if (words.empty() || commands.contains(words[0])) {
        words.emplace_back("--help");
    }
    return words;
}

int run(int argc, char** argv)
{
    using namespace ipcscope;
    CLI::App app{"ipcscope: see where signals and IPC spend their time"};
    app.name("ipcscope");
    app.formatter(cli::help_formatter());   // before the subcommands, which inherit it
    app.set_version_flag("-V,--version", std::string("ipcscope ") + kVersion);
    app.require_subcommand(1);
    // The words after "--" are a command with its own options.
    char** const end = argv + argc;
    char** const dashes = std::find_if(argv, end, [](const char* word) {
        return std::string_view(word) == "--";
    });
    const std::vector<std::string> command(std::min(dashes + 1, end), end);
    std::map<std::string, cli::Run> runs{
        {"record", cli::declare_record(app, command)},
        {"trace", cli::declare_trace(app, command)},
        {"stat", cli::declare_stat(app, command)},
        {"report", cli::declare_report(app)},
        {"dump", cli::declare_dump(app)},
        {"export", cli::declare_export(app)},
        {"kills", cli::declare_kills(app, command)},
        {"pipes", cli::declare_pipes(app, command)},
        {"top", cli::declare_top(app, command)},
        {"inspect", cli::declare_inspect(app)},
        {"doctor", cli::declare_doctor(app)},
        {"bench", cli::declare_bench(app)},
        {"diff", cli::declare_diff(app)},
        {"selftest", cli::declare_selftest(app)},
        {"completions", cli::declare_completions(app)},
    };
    app.footer(cli::exit_statuses() + "\n" + kExamples);   // after them: each has its own
    const std::vector<std::string> words = words_of(argv + 1, dashes, runs);
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::Success& success) {
        return app.exit(success);   // --help, --version
    } catch (const CLI::ParseError& error) {
        return cli::print_error({Exit::usage, cli::usage_message(app, error, words)});
    }
    return runs.at(app.get_subcommands().front()->get_name())();
}

}  // namespace

int main(int argc, char** argv)
{
    std::setlocale(LC_CTYPE, "");
    // A closed pipe or a file limit is reported as an error; the default action would end the process silently.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    return run(argc, argv);
}
