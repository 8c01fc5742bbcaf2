// SPDX-License-Identifier: GPL-2.0-only
// Table: Unix-domain sockets, from a send to the receive that took its bytes.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/file_words.hpp"
#include "decode/names.hpp"
#include "render/names.hpp"
#include "render/text.hpp"

namespace ipcscope::render {
namespace {

using aggregate::FdPass;
using aggregate::SocketEnd;
using aggregate::SocketRow;
using Align = Table::Align;

constexpr std::size_t kDetailedSockets = 8;
constexpr std::size_t kShownHolders = 4;

std::string named(const decode::Task& process)
{
    return glued(fmt::format("{}/{}", process.comm.text().view(), process.tgid));
}

std::string called(const SocketEnd& end)
{
    if (end.object == 0) {
        return "a socket that is not known";
    }
    return end.address.empty() ? fmt::format("{}", end.object)
                               : fmt::format("{} {}", end.object, end.address.view());
}

std::string ends(const SocketRow& row)
{
    const auto describe = [](const SocketEnd& end) {
        const std::string held = holders(end);
        return held.empty() ? called(end) : fmt::format("{} (held by {})", called(end), held);
    };
    return fmt::format("from {} to {}", describe(row.from), describe(row.to));
}

std::string passed(const FdPass& pass)
{
    const auto who = [](const decode::Task& process) {
        return fmt::format("{} ({})", process.tgid, process.comm.text().view());
    };
    std::string text =
        pass.sender.tgid == 0
            ? fmt::format("{} received by {}; who sent it before, is not known",
                          counted(pass.received, "fd", "fds"), who(pass.receiver))
            : fmt::format("{} passed from {} to {}", counted(pass.sent, "fd", "fds"),
                          who(pass.sender), who(pass.receiver));
    for (const aggregate::PassedFile& passed : pass.files) {
        text += fmt::format("{}fd {}, {}", &passed == pass.files.data() ? ": " : "; ",
                            passed.file.fd, decode::file_words(passed.file));
        if (passed.count > 1) {
            text += fmt::format(" ({} times)", grouped(passed.count));
        }
    }
    if (pass.sender.tgid != 0 && pass.received < pass.sent) {
        text += fmt::format("; {} had no room there, and {} closed",
                            grouped(pass.sent - pass.received),
                            pass.sent - pass.received == 1 ? "was" : "were");
    }
    return text;
}

/// What keeps a latency from being exact, or from being there.
std::string doubts(const SocketRow& row)
{
    std::string text;
    if (row.unmatched != 0) {
        text = fmt::format("{} without a known receive", counted(row.unmatched, "send", "sends"));
    }
    if (row.concurrent != 0) {
        text += fmt::format("{}{} at the same time as another: whose bytes came first is not "
                            "known, and latencies go by the order in which they returned",
                            text.empty() ? "" : "; ",
                            counted(row.concurrent, "call", "calls"));
    }
    return text;
}

std::vector<Table::Cell> cells(const SocketRow& row, const Style& style)
{
    const auto quantile = [&](const Histogram& of, double share) -> Table::Cell {
        return of.count() == 0 ? style.none() : style.time(of.quantile(share));
    };
    return {std::string(socket_kind(row.type)),
            cell(row.sender),
            row.receiver.tgid == 0 ? Table::Cell(style.none()) : cell(row.receiver),
            count(row.sends),
            bytes(row.bytes),
            quantile(row.latency, 0.5),
            quantile(row.latency, 0.99),
            row.latency.count() == 0 ? style.none() : style.time(row.latency.max()),
            quantile(row.queued, 0.5),
            quantile(row.woken, 0.5)};
}

}  // namespace

std::string holders(const SocketEnd& end)
{
    std::string text;
    const std::size_t shown = std::min(end.holders.size(), kShownHolders);
    for (std::size_t at = 0; at < shown; ++at) {
        text += (at == 0 ? "" : ", ") + named(end.holders[at]);
    }
    if (end.holders.size() > shown) {
        text += fmt::format(" and {} more", grouped(end.holders.size() - shown));
    }
    return text;
}

std::string socket_table(const Page& page)
{
    const auto& sockets = page.report.sockets;
    if (sockets.empty()) {
        return {};
    }
    Table table({{"KIND", Align::left, 4},
                 {"FROM", Align::left, 5},
                 {"TO", Align::left, 5},
                 {"SENDS"},
                 {"BYTES"},
                 {"P50"},
                 {"P99"},
                 {"MAX"},
                 {"QUEUED"},
                 {"WAKE-UP"}});
    for (const SocketRow& row : std::span(sockets).first(page.top(sockets.size()))) {
        table.row(cells(row, page.style));
        if (sockets.size() <= kDetailedSockets) {
            table.detail(ends(row));
        }
        for (const FdPass& pass : row.passes) {
            table.detail(passed(pass));
        }
        if (row.fds_not_received != 0) {
            table.detail(fmt::format("{} sent, and not received until the end",
                                     counted(row.fds_not_received, "fd", "fds")));
        }
        table.detail(doubts(row));
    }
    return page.title("Unix-domain sockets (from a send to the receive of its last byte)") +
           table.str(page.width, page.style) + page.more(sockets.size());
}

}  // namespace ipcscope::render
