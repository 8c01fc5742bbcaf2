// SPDX-License-Identifier: GPL-2.0-only
// Table: IPC objects other than pipes, a row for each operation.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "render/names.hpp"
#include "render/text.hpp"

namespace ipcscope::render {
namespace {

using aggregate::ObjectRow;
using aggregate::OpRow;
using Align = Table::Align;

constexpr std::size_t kDetailedObjects = 8;
constexpr std::size_t kShownUsers = 4;

std::string users(const ObjectRow& object, const Style& style)
{
    std::string text = object.name.empty() ? "by " : fmt::format("{}: by ", object.name.view());
    const std::size_t shown = std::min(object.users.size(), kShownUsers);
    for (std::size_t at = 0; at < shown; ++at) {
        const aggregate::ObjectUser& user = object.users[at];
        if (at != 0) {
            text += ", ";
        }
        text += glued(fmt::format("{}/{}", user.task.comm.text().view(), user.task.tgid));
        text += fmt::format(" ({}, blocked {})", glued(counted(user.count, "call", "calls")),
                            glued(style.time(user.blocked_ns)));
    }
    if (object.users.size() > shown) {
        text += fmt::format(" and {} more", grouped(object.users.size() - shown));
    }
    return text;
}

/// How calls that did not simply succeed ended.
std::string ends(const OpRow& op)
{
    struct End {
        std::uint64_t number;
        const char* what;
    };
    const End all[] = {{op.nonblocking, "non-blocking"}, {op.peeks, "MSG_PEEK"},
                       {op.eagain, "EAGAIN"},            {op.epipe, "EPIPE"},
                       {op.interrupted, "interrupted"},  {op.timeouts, "timed out"},
                       {op.errors, "other errors"},      {op.unfinished, "unfinished"}};
    std::string text;
    for (const End& end : all) {
        if (end.number != 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                                glued(grouped(end.number)), end.what);
        }
    }
    return text.empty() ? text : fmt::format("{}: {}", decode::op_name(op.op), text);
}

std::vector<Table::Cell> cells(const ObjectRow& object, const OpRow& op, const Style& style)
{
    const auto quantile = [&](double share) -> Table::Cell {
        return op.latency.count() == 0 ? style.none() : style.time(op.latency.quantile(share));
    };
    return {std::string(kind_text(object.type)),
            object_text(object.type, object.object),
            std::string(decode::op_name(op.op)),
            count(op.count),
            bytes(op.bytes),
            count(op.blocked_count),
            style.time(op.blocked_ns),
            quantile(0.5),
            quantile(0.99),
            op.latency.count() == 0 ? style.none() : style.time(op.latency.max())};
}

/// How long messages of a priority waited in their queue.
std::string priority(const aggregate::PriorityRow& row, const Style& style)
{
    std::string text = fmt::format("priority {}: {} sent", row.priority, grouped(row.sent));
    if (row.waited.count() != 0) {
        text += fmt::format(", waited {}, at most {}", glued(style.time(row.waited.quantile(0.5))),
                            glued(style.time(row.waited.max())));
    }
    if (row.waiting != 0) {
        text += fmt::format("; {} left, one for {}", grouped(row.waiting),
                            glued(style.time(row.waits_ns)));
    }
    return text;
}

/// What a socket is called, and what is at its other end.
std::string socket(const ObjectRow& object)
{
    if (object.socket.object == 0) {
        return {};
    }
    std::string text = object.socket.address.empty() ? "" : object.socket.address.str();
    const aggregate::SocketEnd& peer = object.peer;
    if (peer.object != 0) {
        text += fmt::format("{}other end: {}", text.empty() ? "" : "; ", peer.object);
        text += peer.address.empty() ? "" : fmt::format(" {}", peer.address.view());
        const std::string held = holders(peer);
        text += held.empty() ? "" : fmt::format(", held by {}", held);
    } else if (text.empty()) {
        text = "no address, and nothing is known of its other end";
    }
    return text;
}

}  // namespace

std::string object_table(const Page& page)
{
    const auto& objects = page.report.objects;
    if (objects.empty()) {
        return {};
    }
    Table table({{"KIND", Align::left, 6},
                 {"ID", Align::right, 6},
                 {"OPERATION", Align::left, 4},
                 {"CALLS"},
                 {"BYTES"},
                 {"SLEPT"},
                 {"BLOCKED"},
                 {"P50"},
                 {"P99"},
                 {"MAX"}});
    for (const ObjectRow& object : std::span(objects).first(page.top(objects.size()))) {
        for (const OpRow& op : object.ops) {
            table.row(cells(object, op, page.style));
            table.detail(ends(op));
        }
        table.detail(socket(object));
        for (const aggregate::PriorityRow& row : object.priorities) {
            table.detail(priority(row, page.style));
        }
        if (objects.size() <= kDetailedObjects) {
            table.detail(users(object, page.style));
        }
    }
    return page.title("Other IPC objects (slept: calls that had to wait)") +
           table.str(page.width, page.style) + page.more(objects.size());
}

}  // namespace ipcscope::render
