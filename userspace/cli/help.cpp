// SPDX-License-Identifier: GPL-2.0-only
#include "cli/help.hpp"

#include <sstream>

#include <fmt/format.h>

#include "base/closed_pipe.hpp"
#include "cli/commands.hpp"

namespace ipcscope::cli {
namespace {

constexpr std::size_t kWidth = 80, kNameWidth = 28;

struct ExitStatus {
    Exit code;
    const char* meaning;   ///< the manual's entry begins with it: tests/docs/manpage compares them
};

constexpr ExitStatus kStatuses[] = {
    {Exit::ok, "success"},
    {Exit::threshold, "a threshold was crossed"},
    {Exit::usage, "bad usage"},
    {Exit::permission, "a privilege is missing"},
    {Exit::kernel, "this kernel lacks a feature that is needed"},
    {Exit::lost, "events were lost, and --on-loss=exit was given"},
    {Exit::input, "bad or incomplete input, or an output that cannot be written"},
    {Exit::producer, "the source of events failed"},
    {kInterrupted, "bench was interrupted"},
    {kClosedPipe, "the reader of standard output closed the pipe"},
};

std::string wrapped(const std::string& text, std::size_t width)
{
    std::istringstream words(text);
    std::string out, word;
    for (std::size_t column = 0; words >> word;) {
        if (column > 0 && column + 1 + word.size() > width) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

/// CLI11's names of the types of C++ in a manual's words.
std::string plain_type(const std::string& type)
{
    return type == "UINT" || type == "INT" ? "N" : type == "FLOAT" ? "NUMBER" : type;
}

class HelpFormatter final : public CLI::Formatter {
public:
    HelpFormatter() { column_width(kNameWidth); }

    std::string make_option_desc(const CLI::Option* option) const override
    {
        return wrapped(CLI::Formatter::make_option_desc(option), kWidth - kNameWidth);
    }

    /// Only what an option takes, and what it is without: what it allows is in its text.
    std::string make_option_opts(const CLI::Option* option) const override
    {
        std::string out;
        if (option->get_type_size() != 0) {
            const std::string type = option->get_type_name();
            out = " " + plain_type(type.substr(0, type.find_first_of(":{ ")));
            if (!option->get_default_str().empty()) {
                out += "=" + option->get_default_str();
            }
        }
        return out;
    }

    std::string make_subcommand(const CLI::App* command) const override
    {
        std::ostringstream out;
        CLI::detail::format_help(out, command->get_name(),
                                 wrapped(command->get_description(), kWidth - kNameWidth),
                                 kNameWidth);
        return out.str();
    }
};

}  // namespace

std::string exit_statuses()
{
    std::string out = "Exit status:\n";
    for (const auto& [code, meaning] : kStatuses) {
        out += fmt::format("  {:<5}{}\n", static_cast<int>(code), meaning);
    }
    return out + "With a command, record, trace, kills, pipes and stat return the command's own\n"
                 "status: 128+N if signal N ended it, 127 if it was not found, 126 if it could\n"
                 "not be run.\n";
}

std::shared_ptr<CLI::FormatterBase> help_formatter()
{
    return std::make_shared<HelpFormatter>();
}

}  // namespace ipcscope::cli
