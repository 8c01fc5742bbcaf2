// SPDX-License-Identifier: GPL-2.0-only
#include "cli/help.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>

#include <fmt/format.h>

#include "base/closed_pipe.hpp"
#include "base/safe_text.hpp"
#include "cli/commands.hpp"

namespace ipcscope::cli {
namespace {

constexpr std::size_t kWidth = 80, kNameWidth = 28;
constexpr std::size_t kMostDifferences = 2;

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
            out = " " + type.substr(0, type.find_first_of(":{ "));
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

/// Letters to insert, to take out or to replace.
std::size_t differences(std::string_view one, std::string_view other)
{
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= one.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const std::size_t replaced = diagonal + (one[i - 1] != other[j - 1]);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::vector<std::string> command_names(const CLI::App& app)
{
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

std::vector<std::string> option_names(const CLI::App& app)
{
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

/// The first long option of the line that the command has not.
std::string unknown_option(const std::vector<std::string>& words,
                           const std::vector<std::string>& known)
{
    for (const std::string& word : words) {
        const std::string name = word.substr(0, word.find('='));
        if (name.starts_with("--") && name.size() > 2 && !std::ranges::count(known, name)) {
            return name;
        }
    }
    return {};
}

std::string meant(std::string_view word, const std::vector<std::string>& candidates)
{
    const std::string near = nearest(word, candidates);
    return near.empty() ? "" : fmt::format(": did you mean {}?", near);
}

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

std::string nearest(std::string_view word, const std::vector<std::string>& candidates)
{
    std::string best;
    std::size_t least = std::min(kMostDifferences, word.size() / 2) + 1;
    for (const std::string& candidate : candidates) {
        if (const std::size_t number = differences(word, candidate); number < least) {
            least = number;
            best = candidate;
        }
    }
    return best;
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words)
{
    const auto commands = app.get_subcommands();
    const auto known_commands = command_names(app);
    const auto first = std::ranges::find_if(
        words, [](const std::string& word) { return !word.starts_with('-'); });
    // A later word may be the name of a command, as in "traec kills".
    if (first != words.end() && !std::ranges::count(known_commands, *first)) {
        const std::string what = fmt::format("no command {}", SafeText::escape(*first).str());
        const std::string near = meant(*first, known_commands);
        return what + (near.empty() ? "; see ipcscope --help" : near);
    }
    if (commands.empty()) {
        return fmt::format("{}; see ipcscope --help", error.what());
    }
    const CLI::App& command = *commands.front();
    const auto known = option_names(command);
    if (const std::string option = unknown_option(words, known); !option.empty()) {
        const std::string near = meant(option, known);
        return fmt::format("{} has no option {}{}", command.get_name(),
                           SafeText::escape(option).str(),
                           near.empty() ? fmt::format("; see ipcscope {} --help", command.get_name())
                                        : near);
    }
    return fmt::format("{}; see ipcscope {} --help", SafeText::escape(error.what()).str(),
                       command.get_name());
}

}  // namespace ipcscope::cli
