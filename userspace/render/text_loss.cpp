// SPDX-License-Identifier: GPL-2.0-only
// The ledger: what became of every event.  A number printed without its loss
// is a defect, so this section is never left out.
#include <span>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "decode/names.hpp"
#include "diagnose/diagnose.hpp"
#include "render/text.hpp"
#include "base/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::LossLedger;

std::string equation(const Page& page, const LossLedger& loss)
{
    const bool even = loss.exact;
    std::string text = fmt::format("{} generated = {} shown + {} filtered + {} lost   {}",
                                   grouped(loss.generated), grouped(loss.shown),
                                   grouped(loss.filtered), grouped(diagnose::total_lost(loss)),
                                   even ? "exact" : "NOT EXACT");
    std::string lines = wrap(text, page.width, "  ", "    ");
    if (even) return lines;
    const std::uint64_t sum = plus(plus(loss.shown, loss.filtered), diagnose::total_lost(loss));
    if (sum == loss.generated)
        lines += wrap("No ledger came with this trace, or it is older than the last events: "
                      "the sum holds, but cannot be verified.",
                      page.width, "  ", "  ");
    else
        lines += wrap(fmt::format("The sides differ by {}: please report this as a defect.",
                                  counted(std::max(since(sum, loss.generated),
                                                   since(loss.generated, sum)),
                                          "event", "events")),
                      page.width, "  ", "  ");
    return lines;
}

std::string causes(const Page& page, const LossLedger& loss)
{
    std::string out;
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
        if (loss.lost[cause] == 0) continue;
        out += wrap(fmt::format("{} lost to {}: {}", grouped(loss.lost[cause]),
                                decode::loss_name(cause), diagnose::loss_advice(cause)),
                    page.width, "  ", "      ");
    }
    return out;
}

std::string by_cpu(const Page& page, const LossLedger& loss)
{
    if (loss.by_cpu.empty()) return {};
    Table table({{"CPU"},
                 {"CAUSE", Table::Align::left, 8},
                 {"KIND", Table::Align::left, 8},
                 {"LOST"}});
    for (const auto& row : std::span(loss.by_cpu).first(page.top(loss.by_cpu.size())))
        table.row({std::to_string(row.cpu), std::string(decode::loss_name(row.cause)),
                   std::string(decode::kind_name(row.kind)), grouped(row.count)});
    return table.str(page.width, page.style) + page.more(loss.by_cpu.size());
}

std::string evicted(const aggregate::Evicted& evicted)
{
    struct Table {
        std::uint64_t rows;
        const char* what;
    };
    const Table all[] = {{evicted.signals, "of signals"},
                         {evicted.channels, "of pipes"},
                         {evicted.channel_ends, "of pipes' readers and writers"},
                         {evicted.processes, "of processes"},
                         {evicted.kills, "of kills"},
                         {evicted.deaths, "of processes that should have ended"},
                         {evicted.objects, "of objects"},
                         {evicted.sockets, "of sockets"},
                         {evicted.stops, "of stops"},
                         {evicted.lives, "of processes' lives"},
                         {evicted.waits, "of waits"}};
    std::string text;
    for (const Table& table : all) {
        if (table.rows == 0) continue;
        text += text.empty() ? "" : ", ";
        text += fmt::format("{} {}", counted(table.rows, "row", "rows"), table.what);
    }
    return "Tables were full; left out: " + text + ".";
}

}  // namespace

std::string loss_section(const Page& page)
{
    const LossLedger& loss = page.report.loss;
    std::string out = page.title("Loss");
    out += equation(page, loss) + causes(page, loss) + by_cpu(page, loss);
    if (loss.malformed != 0)
        out += wrap(fmt::format("{} could not be decoded.",
                                counted(loss.malformed, "record", "records")),
                    page.width, "  ", "  ");
    if (loss.late != 0)
        out += wrap(fmt::format("{} out of order: pairs around them may be wrong.",
                                counted(loss.late, "event came", "events came")),
                    page.width, "  ", "  ");
    if (page.report.evicted.total() != 0)
        out += wrap(evicted(page.report.evicted), page.width, "  ", "  ");
    return out;
}

}  // namespace ipcscope::render
