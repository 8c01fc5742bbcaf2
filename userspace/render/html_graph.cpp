// SPDX-License-Identifier: GPL-2.0-only
// The page's graph of who waits for whom, and its histograms.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "render/html.hpp"
#include "render/html_parts.hpp"

namespace ipcscope::render::html_parts {
namespace {

using Pid = std::uint32_t;

struct Edge {
    Pid from = 0;   ///< waits
    Pid to = 0;     ///< ended the wait
    std::uint64_t ns = 0;
};

struct Graph {
    std::map<Pid, decode::Task> nodes;
    std::vector<Edge> edges;     ///< by time, descending
    std::size_t left_out = 0;    ///< edges
};

Graph graph_of(const aggregate::Report& report)
{
    std::map<std::pair<Pid, Pid>, std::uint64_t> sums;
    std::map<Pid, decode::Task> tasks;
    for (const aggregate::WaitRow& row : report.waits) {
        if (row.waker.tgid == 0 || row.waker.tgid == row.waiter.tgid) {
            continue;
        }
        std::uint64_t& sum = sums[{row.waiter.tgid, row.waker.tgid}];
        sum = plus(sum, row.total_ns);
        tasks.try_emplace(row.waiter.tgid, row.waiter);
        tasks.try_emplace(row.waker.tgid, row.waker);
    }
    std::vector<Edge> all;
    for (const auto& [ends, ns] : sums) {
        all.push_back({ends.first, ends.second, ns});
    }
    std::ranges::stable_sort(all, std::greater<>{}, &Edge::ns);
    Graph graph;
    for (const Edge& edge : all) {
        const std::size_t more =
            !graph.nodes.contains(edge.from) + !graph.nodes.contains(edge.to);
        if (graph.nodes.size() + more > kMostHtmlNodes) {
            ++graph.left_out;
            continue;
        }
        graph.nodes.try_emplace(edge.from, tasks.at(edge.from));
        graph.nodes.try_emplace(edge.to, tasks.at(edge.to));
        graph.edges.push_back(edge);
    }
    return graph;
}

struct Point {
    double x = 0, y = 0;
};

constexpr double kCentreX = 500, kRadiusX = 410, kMostRadiusY = 230;
constexpr double kBoxWidth = 146, kBoxHeight = 26;

/// Where the line from `from` to the middle of a box meets it.
Point edge_of_box(Point box, Point from)
{
    const double dx = from.x - box.x, dy = from.y - box.y;
    const double scale = std::min(dx == 0 ? 1e9 : (kBoxWidth / 2 + 6) / std::abs(dx),
                                  dy == 0 ? 1e9 : (kBoxHeight / 2 + 6) / std::abs(dy));
    return {box.x + dx * scale, box.y + dy * scale};
}

std::string svg_edge(const Edge& edge, Point from, Point to, std::uint64_t most_ns)
{
    // Bent to one side, so that two that wait for each other are two lines, with room for
    // what is written on each.
    const double length = std::max(std::hypot(to.x - from.x, to.y - from.y), 1.0);
    const double bend = std::max(0.14, 64 / length);
    const Point middle{(from.x + to.x) / 2 + (to.y - from.y) * bend,
                       (from.y + to.y) / 2 - (to.x - from.x) * bend};
    const Point start = edge_of_box(from, middle), end = edge_of_box(to, middle);
    const double width = 1.2 + 5 * std::sqrt(static_cast<double>(edge.ns) /
                                             static_cast<double>(std::max<std::uint64_t>(most_ns, 1)));
    return fmt::format("<path class=\"edge\" marker-end=\"url(#head)\" stroke-width=\"{:.1f}\" "
                       "d=\"M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}\"/>"
                       "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                       width, start.x, start.y, middle.x, middle.y, end.x, end.y,
                       (start.x + 2 * middle.x + end.x) / 4,
                       (start.y + 2 * middle.y + end.y) / 4 - 3, escaped(duration(edge.ns)));
}

/// A histogram by powers of two.
struct Bins {
    unsigned first = 0;
    std::vector<std::uint64_t> counts;
};

Bins bins_of(const Histogram& histogram)
{
    std::map<unsigned, std::uint64_t> sums;
    for (const Histogram::Bucket& bucket : histogram.buckets()) {
        sums[static_cast<unsigned>(std::bit_width(bucket.low))] += bucket.count;
    }
    Bins bins;
    if (sums.empty()) {
        return bins;
    }
    bins.first = sums.begin()->first;
    bins.counts.resize(sums.rbegin()->first - bins.first + 1);
    for (const auto& [bin, count] : sums) {
        bins.counts[bin - bins.first] = count;
    }
    return bins;
}

std::uint64_t low_of(unsigned bin) { return bin == 0 ? 0 : std::uint64_t{1} << (bin - 1); }

std::string svg_histogram(const std::string& title, const Histogram& histogram)
{
    constexpr double kWidth = 340, kHeight = 90;
    const Bins bins = bins_of(histogram);
    const std::uint64_t most = *std::ranges::max_element(bins.counts);
    const double width = kWidth / static_cast<double>(bins.counts.size());
    std::string bars;
    for (std::size_t at = 0; at < bins.counts.size(); ++at) {
        if (bins.counts[at] == 0) {
            continue;
        }
        const double height = std::max(
            1.0, kHeight * static_cast<double>(bins.counts[at]) / static_cast<double>(most));
        const std::uint64_t low = low_of(bins.first + static_cast<unsigned>(at));
        bars += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                            "height=\"{:.1f}\"><title>from {}: {}</title></rect>",
                            static_cast<double>(at) * width + 0.5, kHeight - height,
                            std::max(width - 1, 0.5), height, escaped(duration(low)),
                            grouped(bins.counts[at]));
    }
    return fmt::format(
        "<div><h3>{}</h3><svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">{}"
        "<text class=\"dim\" x=\"0\" y=\"{:.0f}\">{}</text><text class=\"dim\" x=\"{:.0f}\" "
        "y=\"{:.0f}\" text-anchor=\"end\">{}</text></svg><p class=\"dim\">{}, median {}, 99 % {}, "
        "most {}</p></div>\n",
        title, kWidth, kHeight + 18, title, bars, kHeight + 14,
        escaped(duration(histogram.min())), kWidth, kHeight + 14,
        escaped(duration(histogram.max())), grouped(histogram.count()),
        escaped(duration(histogram.quantile(0.5))), escaped(duration(histogram.quantile(0.99))),
        escaped(duration(histogram.max())));
}

}  // namespace

std::string wait_graph(const aggregate::Report& report)
{
    const Graph graph = graph_of(report);
    if (graph.edges.empty()) {
        return {};
    }
    const double radius = std::min(kMostRadiusY, 20.0 * static_cast<double>(graph.nodes.size()));
    const double middle = radius + 50;
    std::map<Pid, Point> places;
    for (const auto& [pid, who] : graph.nodes) {
        const double turn = 2 * std::numbers::pi * static_cast<double>(places.size()) /
                            static_cast<double>(graph.nodes.size());
        places[pid] = {kCentreX - kRadiusX * std::cos(turn), middle - radius * std::sin(turn)};
    }
    std::string out = "<h2>Who waits for whom</h2>\n<p class=\"dim\">An arrow leads from the "
                      "process that waited to the one that ended the wait.</p>\n"
                      "<svg viewBox=\"0 0 1000 " +
                      fmt::format("{:.0f}", 2 * middle) +
                      "\" role=\"img\" aria-label=\"Who waits for whom\"><defs>"
                      "<marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                      "markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" "
                      "orient=\"auto\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n";
    for (const Edge& edge : graph.edges) {
        out += svg_edge(edge, places[edge.from], places[edge.to], graph.edges.front().ns);
    }
    for (const auto& [pid, who] : graph.nodes) {
        const Point at = places[pid];
        out += fmt::format("<rect class=\"node\" rx=\"5\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.0f}\" "
                           "height=\"{:.0f}\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
                           "text-anchor=\"middle\">{}</text>\n",
                           at.x - kBoxWidth / 2, at.y - kBoxHeight / 2, kBoxWidth, kBoxHeight,
                           at.x, at.y + 4, task(who));
    }
    out += "</svg>\n";
    if (graph.left_out != 0) {
        out += fmt::format("<p class=\"dim\">{} more pairs are in the table of waits.</p>\n",
                           graph.left_out);
    }
    return out;
}

std::string histograms(const aggregate::Report& report)
{
    constexpr std::size_t kMost = 6;
    std::map<unsigned, Histogram> signals;
    for (const aggregate::SignalRow& row : report.signals) {
        signals[row.signal].merge(row.latency);
    }
    std::map<std::string, Histogram> calls;
    for (const aggregate::ChannelRow& row : report.channels) {
        const std::string type(decode::object_name(row.type));
        calls["Input from a " + type].merge(row.reads.latency);
        calls["Output to a " + type].merge(row.writes.latency);
    }
    std::map<std::string, Histogram> sockets;
    for (const aggregate::SocketRow& row : report.sockets) {
        sockets["From send to receive, " + std::string(decode::object_name(row.type))].merge(
            row.latency);
    }
    std::vector<std::pair<std::string, const Histogram*>> all;
    for (const auto& [signal, latency] : signals) {
        all.emplace_back(decode::signal_name(signal) + ", from generation to delivery", &latency);
    }
    std::ranges::stable_sort(all, std::greater<>{},
                             [](const auto& one) { return one.second->count(); });
    all.resize(std::min(all.size(), kMost));
    for (const auto* more : {&calls, &sockets}) {
        for (const auto& [name, latency] : *more) {
            all.emplace_back(name, &latency);
        }
    }
    std::string out;
    for (const auto& [name, latency] : all) {
        if (latency->count() != 0) {
            out += svg_histogram(escaped(name), *latency);
        }
    }
    return out.empty() ? "" : "<h2>Latencies</h2>\n<div class=\"grid\">" + out + "</div>\n";
}

}  // namespace ipcscope::render::html_parts
