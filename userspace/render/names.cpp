// SPDX-License-Identifier: GPL-2.0-only
#include "render/names.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ipcscope::render {

std::string who(const decode::Task& task)
{
    if (task.comm.empty()) return std::to_string(task.tgid);
    return glued(fmt::format("{} ({})", task.tgid, task.comm.view()));
}

std::string sender(const decode::Task& task, decode::Origin origin)
{
    switch (origin) {
    case decode::Origin::task: break;
    // A timer expires in the context of whatever task ran just then.
    case decode::Origin::timer: return "a timer";
    case decode::Origin::kernel:
        return task.tgid == 0 ? "the kernel"
                              : glued(fmt::format("the kernel (in {}/{})",
                                                  task.comm.view(), task.tgid));
    }
    return who(task);
}

Table::Cell cell(const decode::Task& task)
{
    return {task.comm.str(), fmt::format("/{}", task.tgid)};
}

Table::Cell sender_cell(const decode::Task& task, decode::Origin origin)
{
    if (origin == decode::Origin::timer) return "timer";
    Table::Cell cell = render::cell(task);
    if (origin == decode::Origin::kernel) cell.text = "kernel:" + cell.text;
    return cell;
}

std::string fit_task(const decode::Task& task, std::size_t width, const Style& style)
{
    return fit(task.comm.view(), fmt::format("/{}", task.tgid), width, style);
}

std::string_view sleeps_in(std::span<const std::string> stack)
{
    static constexpr std::array<std::string_view, 8> kUntelling = {
        "__schedule", "schedule", "schedule_timeout", "io_schedule",
        "io_schedule_timeout", "schedule_preempt_disabled", "schedule_hrtimeout",
        "?",
    };
    for (const std::string& entry : stack) {
        const std::string_view symbol = std::string_view(entry).substr(0, entry.find('+'));
        if (std::ranges::find(kUntelling, symbol) == kUntelling.end()) return entry;
    }
    return stack.empty() ? std::string_view{} : std::string_view(stack.front());
}

}  // namespace ipcscope::render
