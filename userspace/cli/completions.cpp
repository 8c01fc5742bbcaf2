// SPDX-License-Identifier: GPL-2.0-only
// ipcscope completions: what a shell needs to complete our command lines, made from the
// options as they are declared.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"

namespace ipcscope::cli {
namespace {

struct Opt {
    std::vector<std::string> names;   ///< "-o", "--output"; of a word: none
    std::string help;
    std::vector<std::string> values;  ///< that it can have; empty: any
    bool takes_value = false;
};

struct Command {
    std::string name;
    std::string help;
    std::vector<Opt> options;
    std::vector<std::string> words;   ///< that a positional argument can be; empty: a file
};

/// Of a type name like "TEXT:{comm,cgroup}".
std::vector<std::string> values_of(const CLI::Option& option)
{
    const std::string type = option.get_type_name();
    const std::size_t begin = type.find('{'), end = type.find('}');
    std::vector<std::string> values;
    if (begin == std::string::npos || end == std::string::npos || end < begin) {
        return values;
    }
    std::string value;
    for (const char letter : type.substr(begin + 1, end - begin - 1) + ",") {
        if (letter != ',') {
            value += letter;
        } else if (!value.empty()) {
            values.push_back(std::exchange(value, {}));
        }
    }
    return values;
}

Opt option_of(const CLI::Option& option)
{
    Opt out;
    for (const std::string& name : option.get_snames()) {
        out.names.push_back("-" + name);
    }
    for (const std::string& name : option.get_lnames()) {
        out.names.push_back("--" + name);
    }
    out.help = option.get_description();
    out.values = values_of(option);
    out.takes_value = option.get_type_size() != 0 && option.get_expected_min() > 0;
    return out;
}

Command command_of(const CLI::App& app)
{
    Command out{app.get_name(), app.get_description(), {}, {}};
    for (const CLI::Option* option : app.get_options()) {
        Opt one = option_of(*option);
        if (!one.names.empty()) {
            out.options.push_back(std::move(one));
        } else if (out.words.empty()) {
            out.words = one.values;
        }
    }
    return out;
}

std::vector<Command> commands_of(const CLI::App& app)
{
    std::vector<Command> out;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        out.push_back(command_of(*command));
    }
    return out;
}

/// In single quotes of a shell.
std::string shell_quoted(std::string_view text)
{
    std::string out = "'";
    for (const char letter : text) {
        out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    }
    return out + "'";
}

std::string joined(const std::vector<std::string>& words, std::string_view by)
{
    return fmt::format("{}", fmt::join(words, by));
}

std::string names_of(const std::vector<Command>& commands)
{
    std::vector<std::string> names;
    for (const Command& command : commands) {
        names.push_back(command.name);
    }
    return joined(names, " ");
}

constexpr const char kBashHead[] = R"(# bash completion for ipcscope: made by `ipcscope completions bash`.
_ipcscope()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' options='' words='' value='' head='' at
    # --option=value comes as three words.
    if [ "$current" = = ]; then
        current=''
    elif [ "$previous" = = ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        if [ "${COMP_WORDS[at]}" = -- ]; then
            # What follows is a command line of its own.
            if declare -F _command_offset >/dev/null; then
                _command_offset $((at + 1))
            else
                mapfile -t COMPREPLY < <(compgen -c -- "$current")
            fi
            return
        fi
        [ -n "$command" ] || case ${COMP_WORDS[at]} in -*) ;; *) command=${COMP_WORDS[at]} ;; esac
    done
    case $command in
)";

constexpr const char kBashTail[] = R"(    esac
    case $value in
    any) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    '') ;;
    *)
        # A list: what is after the last comma.
        case $current in *,*) head=${current%,*}, ;; esac
        mapfile -t COMPREPLY < <(compgen -P "$head" -W "$value" -- "${current##*,}")
        return
        ;;
    esac
    case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current") ;;
    *)
        if [ -n "$words" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
        fi
        ;;
    esac
}
complete -o filenames -F _ipcscope ipcscope
)";

std::string bash_command(const Command& command)
{
    std::vector<std::string> all;
    std::string values;
    for (const Opt& option : command.options) {
        all.insert(all.end(), option.names.begin(), option.names.end());
        if (option.takes_value) {
            values += fmt::format("        {}) value={} ;;\n", joined(option.names, " | "),
                                  option.values.empty() ? "any"
                                                        : shell_quoted(joined(option.values, " ")));
        }
    }
    std::string out = fmt::format("    {})\n        options={}\n", command.name,
                                  shell_quoted(joined(all, " ")));
    if (!command.words.empty()) {
        out += fmt::format("        words={}\n", shell_quoted(joined(command.words, " ")));
    }
    if (!values.empty()) {
        out += "        case $previous in\n" + values + "        esac\n";
    }
    return out + "        ;;\n";
}

std::string bash(const std::vector<Command>& commands)
{
    std::string out = kBashHead;
    out += fmt::format("    '')\n        options='--help --version'\n        words={}\n        ;;\n",
                       shell_quoted(names_of(commands) + " help"));
    out += fmt::format("    help) words={} ;;\n", shell_quoted(names_of(commands)));
    for (const Command& command : commands) {
        out += bash_command(command);
    }
    return out + kBashTail;
}

/// In the brackets, and between the colons, of a specification for _arguments.
std::string zsh_text(std::string_view text)
{
    std::string out;
    for (const char letter : text) {
        if (letter == '[' || letter == ']' || letter == ':' || letter == '\\') {
            out += '\\';
        }
        out += letter;
    }
    return out;
}

std::string zsh_option(const Opt& option)
{
    std::string out;
    for (const std::string& name : option.names) {
        const std::string value =
            !option.takes_value      ? ""
            : option.values.empty()  ? ":value:_files"
                                     : ":value:(" + joined(option.values, " ") + ")";
        const bool is_long = name.starts_with("--");
        const std::string spec = fmt::format(
            "*{}{}[{}]{}", name, option.takes_value ? (is_long ? "=" : "+") : "",
            zsh_text(option.help), value);
        out += fmt::format("            {} \\\n", shell_quoted(spec));
    }
    return out;
}

std::string zsh(const std::vector<Command>& commands)
{
    std::string out = "#compdef ipcscope\n# Made by `ipcscope completions zsh`.\n_ipcscope()\n{\n"
                      "    local -a commands\n    commands=(\n";
    for (const Command& command : commands) {
        out += fmt::format("        {}\n", shell_quoted(command.name + ":" + zsh_text(command.help)));
    }
    out += "        'help:show the options of a command'\n    )\n"
           "    if ((CURRENT == 2)); then\n        _describe command commands\n        return\n    fi\n"
           "    if ((${words[(I)--]} > 0 && ${words[(I)--]} < CURRENT)); then\n"
           "        local at=${words[(I)--]}\n"
           "        words=(\"${(@)words[at + 1,-1]}\")\n        ((CURRENT -= at))\n        _normal\n"
           "        return\n    fi\n"
           "    local command=${words[2]}\n"
           "    words=(\"${(@)words[2,-1]}\")\n    ((CURRENT -= 1))\n"
           "    case $command in\n    help) _describe command commands ;;\n";
    for (const Command& command : commands) {
        out += fmt::format("    {})\n        _arguments \\\n", command.name);
        for (const Opt& option : command.options) {
            out += zsh_option(option);
        }
        out += command.words.empty()
                   ? "            '*:file:_files'\n"
                   : fmt::format("            '*:word:({})'\n", joined(command.words, " "));
        out += "        ;;\n";
    }
    return out + "    esac\n}\n_ipcscope \"$@\"\n";
}

std::string fish(const std::vector<Command>& commands)
{
    const std::string all = names_of(commands);
    std::string out = "# fish completion for ipcscope: made by `ipcscope completions fish`.\n"
                      "complete -c ipcscope -n __fish_use_subcommand -f\n"
                      "complete -c ipcscope -n __fish_use_subcommand -l help -d 'Show help'\n"
                      "complete -c ipcscope -n __fish_use_subcommand -l version -d 'Show the version'\n"
                      "complete -c ipcscope -n '__fish_seen_subcommand_from help' -f -a " +
                      shell_quoted(all) + "\n";
    for (const Command& command : commands) {
        out += fmt::format("complete -c ipcscope -n __fish_use_subcommand -a {} -d {}\n",
                           command.name, shell_quoted(command.help));
        const std::string when = fmt::format("complete -c ipcscope -n '__fish_seen_subcommand_from {}'",
                                             command.name);
        for (const Opt& option : command.options) {
            std::string names;
            for (const std::string& name : option.names) {
                names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            }
            std::string value;
            if (option.takes_value) {
                value = option.values.empty() ? " -r"
                                              : " -x -a " + shell_quoted(joined(option.values, " "));
            }
            out += fmt::format("{}{}{} -d {}\n", when, names, value, shell_quoted(option.help));
        }
        if (!command.words.empty()) {
            out += fmt::format("{} -f -a {}\n", when, shell_quoted(joined(command.words, " ")));
        }
    }
    return out;
}

}  // namespace

Run declare_completions(CLI::App& app)
{
    auto shell = std::make_shared<std::string>();
    CLI::App* completions = app.add_subcommand(
        "completions", "Print what a shell needs to complete command lines of ipcscope");
    completions->add_option("shell", *shell, "bash, zsh or fish")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))->required();
    completions->footer(R"(Examples:
  . <(ipcscope completions bash)
  ipcscope completions fish >~/.config/fish/completions/ipcscope.fish)");
    return [shell, &app] {
        const std::vector<Command> commands = commands_of(app);
        const auto printed = print(*shell == "bash"  ? bash(commands)
                                   : *shell == "zsh" ? zsh(commands)
                                                     : fish(commands));
        return printed ? 0 : print_error(printed.error());
    };
}

}  // namespace ipcscope::cli
