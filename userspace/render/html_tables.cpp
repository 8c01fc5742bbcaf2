// SPDX-License-Identifier: GPL-2.0-only
// The page's tables, which its script sorts.
#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/words.hpp"
#include "render/html.hpp"
#include "render/html_parts.hpp"
#include "render/names.hpp"

namespace ipcscope::render::html_parts {
namespace {

struct Cell {
    std::string text;                        ///< escaped
    std::optional<std::uint64_t> number;     ///< to sort by; none: by its text
};

Cell words(std::string_view text) { return {escaped(text), {}}; }
Cell name(const decode::Task& who) { return {task(who), {}}; }
Cell number(std::uint64_t value) { return {grouped(value), value}; }
Cell time(std::uint64_t ns) { return {escaped(duration(ns)), ns}; }
/// Of no value: none.
Cell latency(const Histogram& all, std::uint64_t ns)
{
    return all.count() == 0 ? Cell{"–", std::uint64_t{0}} : time(ns);
}
Cell size(std::uint64_t value) { return {escaped(ipcscope::bytes(value)), value}; }

class HtmlTable {
public:
    HtmlTable(std::string_view title, std::vector<std::string_view> heads)
        : title_(title), heads_(std::move(heads))
    {
    }

    void row(const std::vector<Cell>& cells)
    {
        if (++rows_ > kMostHtmlRows) {
            return;
        }
        body_ += "<tr>";
        for (std::size_t at = 0; at < cells.size(); ++at) {
            const Cell& cell = cells[at];
            body_ += cell.number ? fmt::format("<td class=\"n\" data-v=\"{}\">{}</td>",
                                               *cell.number, cell.text)
                                 : "<td>" + cell.text + "</td>";
        }
        body_ += "</tr>\n";
        if (rows_ == 1) {
            for (std::size_t at = 0; at < cells.size(); ++at) {
                head_ += fmt::format("<th scope=\"col\"{}><button type=\"button\">{}</button></th>",
                                     cells[at].number ? " class=\"n\"" : "", escaped(heads_[at]));
            }
        }
    }

    std::string str() const
    {
        if (rows_ == 0) {
            return {};
        }
        return fmt::format("<h3>{}</h3>\n<div class=\"wide\"><table class=\"sort\"><thead><tr>{}"
                           "</tr></thead><tbody>\n{}</tbody></table></div>\n{}",
                           escaped(title_), head_, body_,
                           rows_ > kMostHtmlRows
                               ? fmt::format("<p class=\"dim\">{} more rows: see report --top 0, "
                                             "or export --sqlite.</p>\n",
                                             grouped(rows_ - kMostHtmlRows))
                               : "");
    }

private:
    std::string title_;
    std::vector<std::string_view> heads_;
    std::string head_;
    std::string body_;
    std::size_t rows_ = 0;
};

std::string signals(const aggregate::Report& report)
{
    HtmlTable table("Signals", {"Signal", "Sender", "Target", "Sent", "Delivered", "Ignored",
                                "Merged", "Pending", "Median", "Longest"});
    for (const aggregate::SignalRow& row : report.signals) {
        const std::string_view label = decode::origin_label(row.origin);
        table.row({words(decode::signal_name(row.signal)),
                   label.empty() ? name(row.sender) : words(label), name(row.target),
                   number(diagnose::sent(row)), number(row.matched()),
                   number(row.at(decode::Outcome::ignored)),
                   number(row.at(decode::Outcome::already_pending)),
                   number(row.at(correlate::End::pending)),
                   latency(row.latency, row.latency.quantile(0.5)),
                   latency(row.latency, row.latency.max())});
    }
    return table.str();
}

std::string channels(const aggregate::Report& report)
{
    HtmlTable table("Pipes, sockets, queues", {"Type", "Object", "Path", "From", "To", "Reads",
                                               "Writes", "Bytes", "Full", "Empty", "EAGAIN"});
    const auto first = [](const std::vector<aggregate::ChannelEnd>& ends) {
        return ends.empty()      ? std::string("–")
               : ends.size() > 1 ? fmt::format("{} +{}", task(ends[0].task), ends.size() - 1)
                                 : task(ends[0].task);
    };
    for (const aggregate::ChannelRow& row : report.channels) {
        table.row({words(kind_text(row.type)),
                   words(object_text(row.type, row.object.object)), words(row.path.view()),
                   {first(row.writers), {}}, {first(row.readers), {}}, number(row.reads.count),
                   number(row.writes.count), size(std::max(row.reads.bytes, row.writes.bytes)),
                   time(row.full_ns), time(row.empty_ns),
                   number(row.reads.eagain + row.writes.eagain)});
    }
    return table.str();
}

std::string waits(const aggregate::Report& report)
{
    HtmlTable table("Waits", {"Waiter", "For", "Object", "Ended by", "Waits", "Time", "In poll",
                              "Longest", "Not over"});
    for (const aggregate::WaitRow& row : report.waits) {
        const auto type = static_cast<decode::ObjectType>(row.channel.type);
        table.row({name(row.waiter), words(row.output ? "room" : "data"),
                   words(fmt::format("{} {}", kind_text(type),
                                     object_text(type, row.channel.object))),
                   row.waker.tid == 0 ? words("–") : name(row.waker), number(row.count),
                   time(row.total_ns), time(row.polled_ns), time(row.longest_ns),
                   time(row.unfinished_ns)});
    }
    return table.str();
}

std::string processes(const aggregate::Report& report)
{
    using aggregate::Part;
    HtmlTable table("Processes: where their time went",
                    {"Process", "Threads", "Span", "Running", "Runnable", "Input", "Output",
                     "Poll", "Sleeping", "D, K", "Stopped"});
    for (const aggregate::ProcessRow& row : report.processes) {
        const aggregate::Time& spent = row.time;
        table.row({name(row.task), number(row.threads), time(spent.span_ns),
                   time(spent.at(Part::running)), time(spent.at(Part::runnable)),
                   time(spent.at(Part::input)), time(spent.at(Part::output)),
                   time(spent.poll_ns()), time(spent.at(Part::sleeping)),
                   time(spent.at(Part::uninterruptible) + spent.at(Part::killable) +
                        spent.at(Part::call_uninterruptible)),
                   time(spent.at(Part::stopped) + spent.at(Part::traced) +
                        spent.at(Part::frozen))});
    }
    return table.str();
}

std::string kills(const aggregate::Report& report)
{
    HtmlTable table("Fatal signals to processes in D or K sleep",
                    {"Signal", "Sender", "Target", "State", "Repeats", "Time to die", "At"});
    for (const correlate::KillInterval& kill : report.kills) {
        const std::string_view label = decode::origin_label(kill.origin);
        const auto to_die = kill.time_to_die_ns();
        table.row({words(decode::signal_name(kill.signal)),
                   label.empty() ? name(kill.sender) : words(label), name(kill.target),
                   words(decode::state_name(kill.state)), number(kill.repeats),
                   to_die ? time(*to_die) : Cell{"still there", UINT64_MAX},
                   time(since(kill.sent_ns, report.host.start_ns))});
    }
    return table.str();
}

}  // namespace

std::string tables(const aggregate::Report& report)
{
    const std::string all = signals(report) + waits(report) + channels(report) +
                            processes(report) + kills(report);
    return all.empty() ? "" : "<h2>Tables</h2>\n<p class=\"dim\">A click on a heading sorts.</p>\n" + all;
}

}  // namespace ipcscope::render::html_parts
