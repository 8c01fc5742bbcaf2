// SPDX-License-Identifier: GPL-2.0-only
#include "source/symbols.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>

namespace ipcscope::source {
namespace {

std::string text_of(const KernelText::Function& function, std::uint64_t address)
{
    return fmt::format("{}+{:#x}{}{}", function.name, address - function.start,
                       function.module.empty() ? "" : " ", function.module);
}

}  // namespace

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
    text_.refresh();
    std::vector<std::string> stack;
    for (const std::uint64_t address : addresses) {
        const auto function = text_.find(address);
        stack.push_back(function ? text_of(*function, address) : "?");
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
