// SPDX-License-Identifier: GPL-2.0-only
#include "cli/usage.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/family.hpp"
#include "base/safe_text.hpp"
#include "base/units.hpp"

namespace ipcscope::cli {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kMostDifferences = 2;

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

/// The candidate that differs least from `word`, by two letters at most; "": none.
std::string nearest(std::string_view word, const Words& candidates)
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

std::string safe(std::string_view text)
{
    return SafeText::escape(text).str();
}

Words command_names(const CLI::App& app)
{
    Words names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

Words option_names(const CLI::App& app)
{
    Words names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
        for (const std::string& name : option->get_snames()) {
            names.push_back("-" + name);
        }
    }
    return names;
}

/// The option's name in "--name=value", "-nvalue"; empty for another word, and a number.
std::string option_in(const std::string& word)
{
    if (word.starts_with("--")) {
        return word.size() > 2 ? word.substr(0, word.find('=')) : "";
    }
    const bool letter = word.size() > 1 && word[0] == '-' && std::isalpha(static_cast<unsigned char>(word[1]));
    return letter ? word.substr(0, 2) : "";
}

/// What CLI11's message says of one word of the line.
struct Refusal {
    std::string name;    ///< of the option, or of the positional
    std::string value;   ///< empty: there is none
    Words choices;       ///< empty: it is not one of a list
    std::string wanted;  ///< what it should be; empty where there are choices, or a range
    std::string range{}; ///< "0.001000 to 1000000.000000", as CLI11 writes it

    bool positional() const { return !name.starts_with('-'); }
};

Words split(const std::string& text, char at)
{
    Words parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(at, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

/// Reads the texts of CLI11's errors: they are all that it says.
std::optional<Refusal> refusal_of(const std::string& message, const Words& words)
{
    constexpr std::string_view kNumber = "Could not convert: ", kEquals = " = ";
    constexpr std::string_view kChoices = " not in {", kColon = ": ", kMissing = " missing";
    constexpr std::string_view kValue = "Value ", kRange = " not in range ";
    for (const std::string_view extra : {"The following argument was not expected: ",
                                         "The following arguments were not expected: "}) {
        if (message.starts_with(extra)) {
            const Words extras = split(message.substr(extra.size()), ' ');
            const auto first = std::ranges::find_first_of(words, extras);
            return Refusal{{}, first == words.end() ? extras.front() : *first, {}, "not expected"};
        }
    }
    if (const auto equals = message.find(kEquals);
        message.starts_with(kNumber) && equals != std::string::npos) {
        return Refusal{message.substr(kNumber.size(), equals - kNumber.size()),
                       message.substr(equals + kEquals.size()), {}, "a number is needed"};
    }
    const auto colon = message.find(kColon);
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    const std::string name = message.substr(0, colon), rest = message.substr(colon + kColon.size());
    if (const auto list = rest.rfind(kChoices); list != std::string::npos && rest.ends_with('}')) {
        const auto begin = list + kChoices.size();
        return Refusal{name, rest.substr(0, list),
                       split(rest.substr(begin, rest.size() - begin - 1), ','), {}};
    }
    if (const auto range = rest.find(kRange); rest.starts_with(kValue) && range != std::string::npos) {
        return Refusal{name, rest.substr(kValue.size(), range - kValue.size()), {}, {},
                       rest.substr(range + kRange.size())};
    }
    if (rest.ends_with(kMissing)) {
        return Refusal{name, {}, {}, "its value is missing"};
    }
    return std::nullopt;
}

/// Where "-- PROGRAM" can follow; top refuses one.
bool runs_programs(const CLI::App& command)
{
    constexpr std::string_view kNames[] = {"record", "trace", "stat", "kills", "pipes"};
    return std::ranges::count(kNames, command.get_name()) > 0;
}

/// "…; a program to run goes after --: ipcscope trace -- sh -c 'x'"
std::string program_hint(const CLI::App& command, Words::const_iterator from, Words::const_iterator to)
{
    constexpr std::size_t kMost = 40;
    std::string line = fmt::format("{}", fmt::join(from, to, " "));
    if (line.size() > kMost) {
        line = *from + " …";
    }
    return fmt::format("a program to run goes after --: ipcscope {} -- {}", command.get_name(),
                       safe(line));
}

/// Where a word is no program but a PID, or a time: what was meant; "" else.
std::string number_hint(const CLI::App& command, const std::string& word)
{
    const bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    if (command.get_name() == "stat") {
        const bool seconds = word.ends_with('s') && word.find_first_not_of("0123456789.") == word.size() - 1;
        return seconds ? fmt::format("seconds have no unit: ipcscope stat {}", word.substr(0, word.size() - 1))
                       : "";
    }
    if (!number) {
        return "";
    }
    return fmt::format("a process is -p {}{}", word,
                       command.get_name() == "pipes" ? fmt::format(", a time --interval {}s", word) : "");
}

std::string see_help(const CLI::App& command)
{
    return fmt::format("; see ipcscope {} --help", command.get_name());
}

/// Options of perf, strace and bcc's tools, and what takes their place here.
struct Habit {
    std::string_view commands;   ///< " record trace "
    std::string_view options;    ///< " -p --pid "
    std::string_view instead;
};
constexpr Habit kHabits[] = {
    {" record trace ", " -e --event ", "name families: --trace signals,pipes,kills; signals: -s TERM,KILL"},
    {" stat ", " -e --event ", "name families: --trace signals,pipes; signals: -s TERM,KILL"},
    {" trace ", " -tt -ttt ", "-T shows the time of day"},
    {" kills ", " --min ", "--slow is how long a death may take"},
    {" dump ", " --json ", "leave it out: dump prints JSON"},
    {" export ", " --json ", "ipcscope dump prints JSON"},
    {" export ", " --csv ", "--sqlite FILE, and then sqlite3 -csv"},
    {" record trace ", " -g --call-graph ",
     "no call graphs; the stack of a process that does not end is recorded without it"},
    {" record trace ", " -F --freq ", "nothing is sampled: every event is recorded"},
    {" record trace ", " -c ", "counts alone are ipcscope stat; a period there is not: nothing is sampled"},
    {" record trace stat kills pipes top ", " --filter ",
     "--pid, --tid, --comm, --cgroup, --container and --unit say whom to trace"},
    {" record trace stat kills pipes top ", " -u --uid --user ",
     "there is no filter by user: --pid, --comm, --cgroup or --unit"},
    {" report ", " --stdio ", "leave it out: report prints text"},
    {" report trace stat kills pipes top ", " --color --colour ",
     "terminals get colours; the variable NO_COLOR=1 turns them off"},
    {" report dump export ", " -p --pid -t --tid --comm --cgroup --container --unit -s --signal ",
     "filters are for recording: name it at ipcscope record"},
};

/// Empty: it is no such habit.
std::string_view habit(const std::string& command, const std::string& option)
{
    const auto among = [](std::string_view list, const std::string& word) {
        return list.find(" " + word + " ") != std::string_view::npos;
    };
    for (const Habit& one : kHabits) {
        if (among(one.commands, command) && among(one.options, option)) {
            return one.instead;
        }
    }
    return {};
}

std::string unknown_option_message(const CLI::App& command, const std::string& option, const Words& known)
{
    if (const auto instead = habit(command.get_name(), option); !instead.empty()) {
        return fmt::format("{} has no option {}: {}", command.get_name(), option, instead);
    }
    const std::string near = option.starts_with("--") ? meant(option, known) : "";
    return fmt::format("{} has no option {}{}", command.get_name(), safe(option),
                       near.empty() ? see_help(command) : ": " + near);
}

/// "a number from 0.001 to 1000000 is needed"; of durations, which are in ns by then, "from 100 ms
/// to 1.00 h".
std::string wanted_of(const std::string& range, bool duration)
{
    constexpr std::string_view kTo = " to ";
    const auto to = range.find(kTo);
    const double least = std::strtod(range.c_str(), nullptr);
    const double most =
        to == std::string::npos ? least : std::strtod(range.c_str() + to + kTo.size(), nullptr);
    if (duration) {
        return fmt::format("from {} to {} is possible", ipcscope::duration(static_cast<std::uint64_t>(least)),
                           ipcscope::duration(static_cast<std::uint64_t>(most)));
    }
    constexpr double kNoLimit = 1e100;
    return most > kNoLimit ? fmt::format("a number is needed, {} or more", least)
                           : fmt::format("a number from {} to {} is needed", least, most);
}

std::string refusal_message(const CLI::App& command, const Refusal& refusal, const Words& words)
{
    const CLI::Option* option = command.get_option_no_throw(refusal.name);
    const bool duration = option != nullptr && option->get_type_name().starts_with("DURATION");
    std::string text = refusal.positional() ? command.get_name() : refusal.name;
    if (!refusal.value.empty() && !(duration && !refusal.range.empty())) {   // that would be ns
        text += " " + safe(refusal.value);
    }
    constexpr std::size_t kFew = 4;   // such a list is shorter than a guess is right
    const bool everything = refusal.value == "all" && std::ranges::count(refusal.choices, "ipc");
    const std::string near = everything                       ? "did you mean ipc?"
                             : refusal.choices.size() > kFew ? meant(refusal.value, refusal.choices)
                                                              : "";
    if (!near.empty()) {
        text += ": " + near;
    } else if (!refusal.choices.empty()) {
        text += fmt::format(": choose from {}", fmt::join(refusal.choices, ", "));
    } else if (refusal.name == "PID" && !refusal.value.empty()) {
        text += fmt::format(": a PID is needed, as $(pidof -s {}) gives it", safe(refusal.value));
    } else {
        text += ": " + (refusal.range.empty() ? refusal.wanted : wanted_of(refusal.range, duration));
        text += option != nullptr && option->get_type_name().starts_with("KIB") ? ", of KiB" : "";
    }
    const auto at = std::ranges::find(words, refusal.value);
    if (refusal.positional() && runs_programs(command) && at != words.end()) {
        if (const std::string hint = number_hint(command, refusal.value); !hint.empty()) {
            return text + "; " + hint;
        }
        return text + (near.empty() ? "; " : " else ") + program_hint(command, at, words.end());
    }
    return text + (near.empty() ? see_help(command) : "");
}

}  // namespace

std::string meant(std::string_view word, const Words& candidates)
{
    const std::string near = nearest(word, candidates);
    return near.empty() ? "" : fmt::format("did you mean {}?", near);
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error, const Words& words)
{
    const auto commands = app.get_subcommands();
    const auto known_commands = command_names(app);
    const auto first = std::ranges::find_if(
        words, [](const std::string& word) { return !word.starts_with('-'); });
    // A later word may be the name of a command, as in "traec kills".
    if (first != words.end() && !std::ranges::count(known_commands, *first)) {
        const std::string near = find_family(*first) ? fmt::format("did you mean trace {}?", *first)
                                 : *first == "version" ? "did you mean --version?"
                                                       : meant(*first, known_commands);
        return fmt::format("no command {}{}", safe(*first),
                           near.empty() ? "; see ipcscope --help" : ": " + near);
    }
    if (commands.empty() && std::ranges::count(words, "-v")) {
        return "no option -v: did you mean --version?";
    }
    if (commands.empty()) {
        return fmt::format("{}; see ipcscope --help", error.what());
    }
    const CLI::App& command = *commands.front();
    const auto known = option_names(command);
    // strace's -tt is none of ours, though -t is.
    const auto name_in = [&](const std::string& word) {
        return habit(command.get_name(), word).empty() ? option_in(word) : word;
    };
    const auto unknown = std::ranges::find_if(words, [&](const std::string& word) {
        const std::string name = name_in(word);
        return !name.empty() && !std::ranges::count(known, name);
    });
    const auto refusal = refusal_of(error.what(), words);
    // Of a program's words, the first is not ours: its options are not either.
    const bool before = refusal && refusal->positional() &&
        std::ranges::find(words, refusal->value) < unknown;
    if (unknown != words.end() && !before) {
        return unknown_option_message(command, name_in(*unknown), known);
    }
    return refusal ? refusal_message(command, *refusal, words)
                   : safe(error.what()) + see_help(command);
}

}  // namespace ipcscope::cli
