// SPDX-License-Identifier: GPL-2.0-only
#include "render/names.hpp"

#include <fmt/format.h>
#include <ipcscope/futex.h>

#include "aggregate/report.hpp"
#include "base/units.hpp"
#include "decode/names.hpp"

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
    const std::string_view label = decode::origin_label(origin);
    return label.empty() ? cell(task) : Table::Cell{std::string(label)};
}

std::string fit_task(const decode::Task& task, std::size_t width, const Style& style)
{
    return fit(task.comm.text().view(), fmt::format("/{}", task.tgid), width, style);
}

std::string_view socket_kind(decode::ObjectType type)
{
    constexpr std::string_view kPrefix = "unix_";
    const std::string_view name = decode::object_name(type);
    return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

std::string_view kind_text(decode::ObjectType type)
{
    return decode::object_name(type == decode::ObjectType::futex_private ? decode::ObjectType::futex
                                                                         : type);
}

std::string object_text(decode::ObjectType type, std::uint64_t object)
{
    switch (type) {
    case decode::ObjectType::sysv_sem:
        return fmt::format("{}[{}]", object & UINT32_MAX, object >> 32);
    case decode::ObjectType::futex:
        return fmt::format("{}:{:#x}", object >> 32, ipcscope_futex_offset(object));
    case decode::ObjectType::futex_private: return fmt::format("{:#x}", object);
    default: return std::to_string(object);
    }
}

std::string machine_text(const source::Host& host)
{
    std::string text = host.hostname.empty() ? "" : " on " + safe(host.hostname);
    const auto add = [&](const std::string& what) { text += ", " + what; };
    if (!host.kernel.empty()) {
        add("Linux " + safe(host.kernel) + (host.machine.empty() ? "" : " " + safe(host.machine)));
    }
    if (host.cpus != 0) {
        add(counted(host.cpus, "CPU", "CPUs"));
    }
    if (!host.backend.empty()) {
        add("backend " + safe(host.backend));
    }
    return text;
}

std::string safe(const std::string& text) { return SafeText::escape(text).str(); }

}  // namespace ipcscope::render
