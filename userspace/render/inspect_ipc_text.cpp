// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope inspect --ipc` for people.
#include <fmt/format.h>

#include "base/units.hpp"
#include "render/inspect.hpp"
#include "render/layout.hpp"
#include "render/names.hpp"

namespace ipcscope::render {
namespace {

using namespace inspect;
using Align = Table::Align;

Table::Cell user(const LastUser& user, const Style& style)
{
    if (user.pid == 0) {
        return style.none();
    }
    return user.comm.empty() ? Table::Cell("gone", fmt::format("/{}", user.pid))
                             : Table::Cell(user.comm.text().str(), fmt::format("/{}", user.pid));
}

std::string key(std::uint32_t key) { return key == 0 ? "private" : fmt::format("{:#010x}", key); }
std::string mode(const Owner& owner) { return fmt::format("{:04o}", owner.mode); }

template <typename Rows, typename Fill>
std::string section(const char* title, std::vector<Table::Column> columns, const Rows& rows,
                    const TextOptions& options, const Style& style, Fill fill)
{
    if (rows.empty()) {
        return {};
    }
    Table table(std::move(columns));
    for (const auto& row : rows) {
        fill(table, row);
    }
    return "\n" + style.bold(title) + "\n" + table.str(options.width, style);
}

std::string queues(const IpcNamespace& space, const TextOptions& options, const Style& style)
{
    return section("System V message queues",
                   {{"ID"}, {"KEY"}, {"UID"}, {"MODE"}, {"MESSAGES"}, {"BYTES"}, {"OF"},
                    {"LAST SENDER", Align::left, 6}, {"LAST RECEIVER", Align::left, 6}},
                   space.queues, options, style, [&](Table& table, const SysvQueue& queue) {
                       table.row({std::to_string(queue.id), key(queue.key),
                                  std::to_string(queue.owner.uid), mode(queue.owner),
                                  count(queue.messages), bytes(queue.bytes),
                                  bytes(queue.most_bytes), user(queue.sender, style),
                                  user(queue.receiver, style)});
                   });
}

std::string waited(const Semaphore& one)
{
    std::string text = fmt::format("semaphore {} is {}", one.number, one.value);
    if (one.waiting != 0) {
        text += fmt::format(", {} to decrement it", counted(one.waiting, "thread waits", "threads wait"));
    }
    if (one.waiting_for_zero != 0) {
        text += fmt::format(", {} for zero",
                            counted(one.waiting_for_zero, "thread waits", "threads wait"));
    }
    if (one.last.pid != 0) {
        text += fmt::format("; last changed by {}",
                            one.last.comm.empty()
                                ? fmt::format("process {}, which has ended", one.last.pid)
                                : glued(fmt::format("{}/{}", one.last.comm.text().view(),
                                                    one.last.pid)));
    }
    return text;
}

std::string semaphores(const IpcNamespace& space, const TextOptions& options, const Style& style)
{
    return section("System V semaphore sets",
                   {{"ID"}, {"KEY"}, {"UID"}, {"MODE"}, {"SEMAPHORES"}}, space.sets, options, style,
                   [&](Table& table, const SemaphoreSet& set) {
                       table.row({std::to_string(set.id), key(set.key),
                                  std::to_string(set.owner.uid), mode(set.owner),
                                  count(set.semaphores)});
                       for (const Semaphore& one : set.waited) {
                           table.detail(waited(one));
                       }
                   });
}

std::string segments(const IpcNamespace& space, const TextOptions& options, const Style& style)
{
    return section("System V shared memory",
                   {{"ID"}, {"KEY"}, {"UID"}, {"MODE"}, {"BYTES"}, {"ATTACHED"},
                    {"CREATOR", Align::left, 6}, {"LAST", Align::left, 6}},
                   space.segments, options, style, [&](Table& table, const Segment& segment) {
                       table.row({std::to_string(segment.id), key(segment.key),
                                  std::to_string(segment.owner.uid), mode(segment.owner),
                                  bytes(segment.bytes), count(segment.attached),
                                  user(segment.creator, style), user(segment.last, style)});
                       table.detail(segment.destroyed ? "removed: it goes with the last process that "
                                                        "has it attached"
                                                      : "");
                   });
}

std::string posix_queues(const IpcNamespace& space, const TextOptions& options, const Style& style)
{
    return section("POSIX message queues",
                   {{"NAME", Align::left, 12}, {"UID"}, {"MODE"}, {"BYTES IN IT"}},
                   space.posix_queues, options, style, [&](Table& table, const PosixQueue& queue) {
                       table.row({"/" + safe(queue.name), std::to_string(queue.owner.uid),
                                  mode(queue.owner), bytes(queue.bytes)});
                   });
}

std::string limits(const IpcNamespace& space, const TextOptions& options, const Style& style)
{
    return section("Limits",
                   {{"OF", Align::left}, {"USED"}, {"MOST"}, {"SHARE"}, {"SYSCTL", Align::left}},
                   space.limits, options, style, [&](Table& table, const Limit& limit) {
                       // The kernel's own default of shmall, which is no limit, is near 2^64.
                       constexpr std::uint64_t kNoLimit = 1ull << 62;
                       const bool none = limit.most >= kNoLimit;
                       table.row({std::string(limit.what), count(limit.used),
                                  none ? "none" : count(limit.most),
                                  none ? style.none() : percent(limit.used, limit.most),
                                  fmt::format("{}{}", limit.sysctl,
                                              limit.is_near() ? ", nearly used up" : "")});
                   });
}

}  // namespace

std::string ipc_text(const std::vector<IpcNamespace>& spaces, const TextOptions& options)
{
    const Style style{options.utf8, options.colour};
    std::string text;
    for (const IpcNamespace& space : spaces) {
        text += text.empty() ? "" : "\n";
        text += style.bold(fmt::format("IPC namespace {}", space.id)) +
                fmt::format("{}: {}, the first is {}/{}\n", space.own ? " (this one)" : "",
                            counted(space.processes, "process", "processes"),
                            space.comm.text().view(), space.first);
        const std::string objects = queues(space, options, style) +
                                    semaphores(space, options, style) +
                                    segments(space, options, style) +
                                    posix_queues(space, options, style);
        text += objects.empty() ? "\nNo System V object, no POSIX message queue.\n" : objects;
        text += limits(space, options, style);
        for (const std::string& gap : space.gaps) {
            text += wrap(gap, std::max(options.width, kLeastWidth), "Not seen: ", "  ");
        }
    }
    return style.plain(std::move(text));
}

}  // namespace ipcscope::render
