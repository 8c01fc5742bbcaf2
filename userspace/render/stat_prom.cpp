// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope stat` in Prometheus's text format.  docs/stat.md says what each metric means.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/container.hpp"
#include "decode/names.hpp"
#include "render/names.hpp"
#include "render/stat.hpp"

namespace ipcscope::render {
namespace {

using aggregate::StatLine;
using aggregate::StatReport;

/// A label's value: what is in it is safe text.
std::string label_value(std::string_view value)
{
    std::string out = "\"";
    for (const char byte : value) {
        if (byte == '\\' || byte == '"') {
            out += '\\';
        }
        out += byte == '\n' ? ' ' : byte;
    }
    return out + '"';
}

using Label = std::pair<std::string_view, std::string>;

/// `signal="SIGTERM",comm="cat"`
std::string joined(std::initializer_list<Label> labels, const std::string& more = {})
{
    std::string out;
    for (const auto& [name, value] : labels) {
        out += fmt::format("{}{}={}", out.empty() ? "" : ",", name, label_value(value));
    }
    return more.empty() ? out : out + "," + more;
}

/// Of what the row is aggregated by; several cgroups may have the same.
std::string owner(const StatLine& line, unsigned by)
{
    switch (by) {
    case IPCSCOPE_STAT_BY_COMM: return joined({{"comm", line.name.str()}});
    case IPCSCOPE_STAT_BY_CGROUP: {
        const Place place = place_of(line.name.view());
        return joined({{"container", std::string(short_id(place.container))},
                       {"unit", place.unit}});
    }
    default: return {};
    }
}

/// Bounds of buckets of Histogram, so that no value is counted on the wrong side.
constexpr std::array kBounds_ns{
    (std::uint64_t{1} << 10) - 1, (std::uint64_t{1} << 13) - 1, (std::uint64_t{1} << 17) - 1,
    (std::uint64_t{1} << 20) - 1, (std::uint64_t{1} << 23) - 1, (std::uint64_t{1} << 27) - 1,
    (std::uint64_t{1} << 30) - 1, (std::uint64_t{1} << 33) - 1,
};

std::string seconds(std::uint64_t ns)
{
    return fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
}

/// Metrics of one name, by their labels, in the order of these.
class Counter {
public:
    Counter(std::string_view name, std::string_view help) : name_(name), help_(help) {}
    void add(const std::string& labels, std::uint64_t value) { values_[labels] += value; }

    std::string str(std::string_view type = "counter") const
    {
        if (values_.empty()) {
            return {};
        }
        std::string out =
            fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help_, type);
        for (const auto& [labels, value] : values_) {
            out += labels.empty() ? fmt::format("{} {}\n", name_, value)
                                  : fmt::format("{}{{{}}} {}\n", name_, labels, value);
        }
        return out;
    }

private:
    std::string_view name_;
    std::string_view help_;
    std::map<std::string, std::uint64_t> values_;
};

class Latencies {
public:
    Latencies(std::string_view name, std::string_view help) : name_(name), help_(help) {}
    void add(const std::string& labels, const Histogram& latency)
    {
        if (latency.count() != 0) {
            values_[labels].merge(latency);
        }
    }

    std::string str() const
    {
        if (values_.empty()) {
            return {};
        }
        std::string out = fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", name_, help_);
        for (const auto& [labels, latency] : values_) {
            const auto buckets = latency.buckets();
            for (const std::uint64_t bound : kBounds_ns) {
                std::uint64_t below = 0;
                for (const Histogram::Bucket& bucket : buckets) {
                    below += bucket.high <= bound ? bucket.count : 0;
                }
                out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name_, labels,
                                   seconds(bound), below);
            }
            out += fmt::format("{0}_bucket{{{1},le=\"+Inf\"}} {2}\n{0}_sum{{{1}}} {3}\n"
                               "{0}_count{{{1}}} {2}\n",
                               name_, labels, latency.count(), seconds(latency.sum()));
        }
        return out;
    }

private:
    std::string_view name_;
    std::string_view help_;
    std::map<std::string, Histogram> values_;
};

struct Metrics {
    Counter sent{"ipcscope_signals_sent_total",
                 "Signals that were generated, by what the kernel did with them."};
    Counter taken{"ipcscope_signals_taken_total", "Signals that were taken, and how."};
    Latencies delivery{"ipcscope_signal_delivery_seconds",
                       "Time from a signal's generation to its taking."};
    Counter calls{"ipcscope_calls_total", "Calls on IPC objects that have returned."};
    Counter bytes{"ipcscope_call_bytes_total", "Bytes that these calls moved."};
    Latencies duration{"ipcscope_call_seconds", "Time in these calls."};

    void add(const StatLine& line, unsigned by)
    {
        const std::string who = owner(line, by);
        const std::string about = stat_about(line);
        const std::string outcome(stat_outcome(line));
        switch (line.kind()) {
        case IPCSCOPE_SIGNAL_GENERATE:
            sent.add(joined({{"signal", about}, {"outcome", outcome}}, who), line.count);
            return;
        case IPCSCOPE_SIGNAL_TAKE:
            taken.add(joined({{"signal", about}, {"how", outcome}}, who), line.count);
            delivery.add(joined({{"signal", about}}, who), line.latency);
            return;
        default: break;
        }
        const std::string operation(stat_operation(line));
        calls.add(joined({{"object", about}, {"operation", operation}, {"outcome", outcome}}, who),
                  line.count);
        bytes.add(joined({{"object", about}, {"operation", operation}}, who), line.bytes);
        duration.add(joined({{"object", about}, {"operation", operation}}, who), line.latency);
    }
};

std::string gauge(std::string_view name, std::string_view help, const std::string& labels,
                  const std::string& value)
{
    return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0}{2} {3}\n", name, help,
                       labels.empty() ? "" : "{" + labels + "}", value);
}

}  // namespace

std::string stat_prom(const StatReport& report)
{
    Metrics metrics;
    for (const StatLine& line : report.lines) {
        metrics.add(line, report.by);
    }
    Counter lost("ipcscope_events_lost_total", "Events that were not counted, by the cause.");
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
        std::uint64_t sum = 0;
        for (const aggregate::StatEvents& events : report.events) {
            sum += events.lost[cause];
        }
        lost.add(joined({{"cause", std::string(decode::loss_name(cause))}}), sum);
    }
    const std::int64_t start_ns = static_cast<std::int64_t>(report.start_ns) +
                                  report.host.realtime_offset_ns;
    return gauge("ipcscope_info", "What counts.",
                 joined({{"version", safe(report.host.tool_version)},
                         {"backend", safe(report.host.backend)},
                         {"kernel", safe(report.host.kernel)}}),
                 "1") +
           gauge("ipcscope_start_time_seconds", "Since when it counts.", "",
                 seconds(static_cast<std::uint64_t>(std::max<std::int64_t>(start_ns, 0)))) +
           gauge("ipcscope_rows", "Rows of the kernel's table in use.", "",
                 std::to_string(report.rows)) +
           gauge("ipcscope_rows_limit", "Rows that it has (--max-rows).", "",
                 std::to_string(report.max_rows)) +
           lost.str() + metrics.sent.str() + metrics.taken.str() + metrics.delivery.str() +
           metrics.calls.str() + metrics.bytes.str() + metrics.duration.str();
}

}  // namespace ipcscope::render
