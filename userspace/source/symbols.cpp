// SPDX-License-Identifier: GPL-2.0-only
#include "source/symbols.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <sstream>

#include <fmt/format.h>

namespace ipcscope::source {
namespace {

struct Best {
    std::uint64_t start = 0;
    std::string name;
};

/// "ffffffff81000000 T name\t[module]".  By hand, and the name only where it is needed:
/// there are 200,000 of them, read while a process waits to be looked at.
struct Line {
    std::uint64_t start = 0;
    char type = 0;
    std::string_view rest;

    std::string name() const
    {
        std::string text(rest.substr(0, rest.find_last_not_of(" \t\n") + 1));
        if (const auto tab = text.find('\t'); tab != std::string::npos) {
            text[tab] = ' ';
        }
        return text;
    }
};

Line parse(const char* line)
{
    Line parsed;
    const std::string_view text(line);
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), parsed.start, 16);
    const auto at = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || text.size() < at + 4) {
        return {};
    }
    parsed.type = text[at + 1];
    parsed.rest = text.substr(at + 3);
    return parsed;
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Goes on where a signal (Ctrl-C ends the trace just then) broke the read off.
template <std::size_t Size>
bool read_line(char (&line)[Size], std::FILE* file)
{
    while (!std::fgets(line, Size, file)) {
        if (!std::ferror(file) || errno != EINTR) return false;
        std::clearerr(file);
    }
    return true;
}

}  // namespace

// Streams the whole list: it is not sorted across modules, and at 10 MB not
// worth keeping for the rare kill that needs it.
void Symbols::look_up(std::span<const std::uint64_t> addresses)
{
    std::map<std::uint64_t, Best> best;
    for (std::uint64_t address : addresses) {
        if (!texts_.count(address)) {
            best[address];
        }
    }
    if (best.empty()) {
        return;
    }
    std::unique_ptr<std::FILE, CloseFile> file(std::fopen("/proc/kallsyms", "re"));
    if (file) {
        std::setvbuf(file.get(), nullptr, _IOFBF, 1 << 16);
    }
    char line[640];
    while (file && read_line(line, file.get())) {
        const Line symbol = parse(line);
        if (symbol.start == 0 || (symbol.type != 't' && symbol.type != 'T')) {
            continue;
        }
        for (auto it = best.lower_bound(symbol.start); it != best.end(); ++it) {
            if (symbol.start >= it->second.start) {
                it->second = {symbol.start, symbol.name()};
            }
        }
    }
    for (const auto& [address, symbol] : best) {
        if (symbol.start == 0) {
            continue;
        }
        const auto space = symbol.name.find(' ');
        const std::string where = fmt::format("+{:#x}", address - symbol.start);
        texts_[address] = space == std::string::npos
                              ? symbol.name + where
                              : symbol.name.substr(0, space) + where +
                                    symbol.name.substr(space);
    }
}

bool is_switch_frame(std::string_view frame)
{
    static constexpr std::array<std::string_view, 9> kNames{
        "__schedule",       "schedule",          "schedule_preempt_disabled",
        "__schedule_loop",  "preempt_schedule",  "preempt_schedule_common",
        "context_switch",   "__switch_to",       "__switch_to_asm"};
    static constexpr std::array<std::string_view, 6> kPrefixes{
        "__traceiter_", "__bpf_trace_", "bpf_trace_run", "bpf_prog_", "bpf_trampoline_",
        "__bpf_prog_"};
    if (frame.ends_with(" [ipcscope]")) {
        return true;
    }
    // Without the offset, and without what the compiler made of it (.isra.0).
    const std::string_view name = frame.substr(0, frame.find_first_of("+."));
    return std::ranges::find(kNames, name) != kNames.end() || name.ends_with("_switch") ||
           std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
               return name.starts_with(prefix);
           });
}

std::vector<Symbols::Named> Symbols::named(std::vector<std::string> stack)
{
    const auto first = std::ranges::find_if_not(stack, is_switch_frame);
    if (first != stack.end()) {   // else better these than none
        stack.erase(stack.begin(), first);
    }
    std::vector<Named> names;
    for (const std::string& text : stack) {
        const auto [id, is_new] = ids_.try_emplace(text, ids_.size() + 1);
        names.push_back({id->second, text, is_new});
    }
    return names;
}

std::vector<Symbols::Named> Symbols::of_addresses(std::span<const std::uint64_t> addresses)
{
    look_up(addresses);
    std::vector<std::string> stack;
    for (std::uint64_t address : addresses) {
        const auto text = texts_.find(address);
        stack.push_back(text == texts_.end() ? "?" : text->second);
    }
    return named(std::move(stack));
}

std::vector<Symbols::Named> Symbols::of_stack_text(const std::string& text)
{
    std::istringstream lines(text);
    std::vector<std::string> stack;
    std::string line;
    // "[<0>] io_schedule+0x46/0x70 [module]"
    while (std::getline(lines, line)) {
        const auto start = line.find("] ");
        const auto slash = line.rfind('/');   // the function's size follows
        if (start == std::string::npos || slash == std::string::npos || slash < start) {
            continue;
        }
        const auto module = line.find(' ', slash);
        stack.push_back(line.substr(start + 2, slash - start - 2) +
                        (module == std::string::npos ? "" : line.substr(module)));
    }
    return named(std::move(stack));
}

}  // namespace ipcscope::source
