// SPDX-License-Identifier: GPL-2.0-only
// The ledger: what became of every event.  A number printed without its loss
// is a defect, so this section is never left out.
#include <array>
#include <span>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "base/safe_text.hpp"
#include "decode/decode.hpp"
#include "render/text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::LossLedger;

/// What to do about a cause, by IPCSCOPE_LOST_.
constexpr std::array kAdvice = {
    "the reader was too slow: use a larger --ring-size, or filter more",
    "an interrupt came while the ring was in use: filter more; size does not help",
    "more calls were under way than could be remembered: filter more (--pid)",
    "the kernel skipped a hook inside another one: trace fewer kinds",
    "the collector could not keep it: is the disk full or slow?",
    "the capture file is damaged: copy it again from where it was made",
};
static_assert(kAdvice.size() == IPCSCOPE_LOST_COUNT);

const char* advice(const std::string& cause)
{
    for (unsigned at = 0; at < IPCSCOPE_LOST_COUNT; at++)
        if (cause == decode::loss_name(at)) return kAdvice[at];
    return "";
}

std::string equation(const Page& page, const LossLedger& loss)
{
    const bool even = loss.exact;
    std::string text = fmt::format("{} generated = {} shown + {} filtered + {} lost   {}",
                                   grouped(loss.generated), grouped(loss.shown),
                                   grouped(loss.filtered), grouped(total_lost(loss)),
                                   even ? "exact" : "NOT EXACT");
    std::string lines = wrap(text, page.width, "  ", "    ");
    if (even) return lines;
    const std::uint64_t sum = plus(plus(loss.shown, loss.filtered), total_lost(loss));
    if (sum == loss.generated)
        lines += wrap("No ledger came with this trace, or it is older than the last events: "
                      "the sum holds, but nothing vouches for it.",
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
    for (const aggregate::LossRow& row : loss.lost) {
        if (row.count == 0) continue;
        out += wrap(fmt::format("{} lost to {}: {}", grouped(row.count),
                                SafeText::escape(row.cause).view(), advice(row.cause)),
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
        table.row({std::to_string(row.cpu), SafeText::escape(row.cause).str(),
                   SafeText::escape(row.kind).str(), grouped(row.count)});
    return table.str(page.width, page.style) + page.more(loss.by_cpu.size());
}

}  // namespace

std::uint64_t total_lost(const LossLedger& loss)
{
    std::uint64_t sum = 0;
    for (const aggregate::LossRow& row : loss.lost) sum = plus(sum, row.count);
    return sum;
}

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
    return out;
}

}  // namespace ipcscope::render
