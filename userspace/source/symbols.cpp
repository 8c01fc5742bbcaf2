// SPDX-License-Identifier: GPL-2.0-only
#include "source/symbols.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
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
    char line[640], name[512], module[128];
    while (file && read_line(line, file.get())) {
        std::uint64_t start = 0;
        char type = 0;
        const int fields = std::sscanf(line, "%" SCNx64 " %c %511s %127s", &start, &type,
                                       name, module);
        if (fields < 3 || start == 0 || (type != 't' && type != 'T')) {
            continue;
        }
        for (auto it = best.lower_bound(start); it != best.end(); ++it) {
            if (start < it->second.start) {
                continue;
            }
            it->second.start = start;
            it->second.name = name;
            if (fields == 4) {
                it->second.name += fmt::format(" {}", module);
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
