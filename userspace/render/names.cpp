// SPDX-License-Identifier: GPL-2.0-only
#include "render/names.hpp"

#include <fmt/format.h>

namespace ipcscope::render {

Table::Cell cell(const decode::Task& task)
{
    return {task.comm.text().str(), fmt::format("/{}", task.tgid)};
}

Table::Cell cell(const decode::Task& task, std::size_t processes, const Style& style)
{
    return processes == 1 ? cell(task)
                          : Table::Cell{task.comm.text().str(),
                                        fmt::format(" {}{}", style.times(), processes)};
}

Table::Cell sender_cell(const decode::Task& task, decode::Origin origin)
{
    switch (origin) {
    case decode::Origin::task:
    case decode::Origin::parent_exit: break;
    case decode::Origin::timer: return "timer";
    case decode::Origin::kernel: return "kernel";
    }
    return cell(task);
}

std::string fit_task(const decode::Task& task, std::size_t width, const Style& style)
{
    return fit(task.comm.text().view(), fmt::format("/{}", task.tgid), width, style);
}

std::string safe(const std::string& text) { return SafeText::escape(text).str(); }

}  // namespace ipcscope::render
