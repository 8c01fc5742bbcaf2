// SPDX-License-Identifier: GPL-2.0-only
// Table: which process waited for which, on what.
#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "aggregate/waits.hpp"
#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_words.hpp"
#include "render/names.hpp"
#include "render/text.hpp"

namespace ipcscope::render {
namespace {

using aggregate::ChannelRow;
using aggregate::WaitRow;
using Align = Table::Align;

constexpr std::uint64_t kWorthARow_ns = 1'000'000;
constexpr std::size_t kLeastName = 8;

using Channels = std::map<aggregate::ObjectId, const ChannelRow*>;

std::string unnamed(decode::ObjectType type, std::uint64_t object)
{
    return fmt::format("{} {}", kind_text(type), object_text(type, object));
}

std::string on(const WaitRow& row, const Channels& channels)
{
    const auto at = channels.find(row.channel);
    std::string name =
        at != channels.end()
            ? diagnose::which(*at->second)
            : unnamed(static_cast<decode::ObjectType>(row.channel.type), row.channel.object);
    std::ranges::replace(name, kGlue, ' ');
    return row.output ? "room in " + name : name;
}

}  // namespace

std::string wait_table(const Page& page)
{
    std::vector<WaitRow> rows = aggregate::by_process(page.report.waits);
    std::erase_if(rows, [](const WaitRow& row) { return row.total_ns < kWorthARow_ns; });
    if (rows.empty()) {
        return {};
    }
    Channels channels;
    for (const ChannelRow& channel : page.report.channels) {
        channels.emplace(channel.object, &channel);
    }
    Table table({{"PROCESS", Align::left, kLeastName},
                 {"WAITED FOR", Align::left, kLeastName},
                 {"ON", Align::left, kLeastName},
                 {"WAITS"},
                 {"TIME"},
                 {"LONGEST"}});
    for (const WaitRow& row : std::span(rows).first(page.top(rows.size()))) {
        table.row({cell(row.waiter), row.waker.tgid == 0 ? page.style.none() : cell(row.waker),
                   on(row, channels), count(row.count), page.style.time(row.total_ns),
                   page.style.time(row.longest_ns)});
        if (row.unfinished_ns != 0) {
            table.detail(fmt::format("{} of it were not over at the end",
                                     glued(page.style.time(row.unfinished_ns))));
        }
    }
    return page.title("Waits: who ended them, of 1 ms and more") +
           table.str(page.width, page.style) + page.more(rows.size());
}

}  // namespace ipcscope::render
