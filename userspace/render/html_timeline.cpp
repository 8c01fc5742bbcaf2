// SPDX-License-Identifier: GPL-2.0-only
// The page's timeline: a lane for each process that waited, was stopped, or slept long.
#include <algorithm>
#include <array>
#include <map>
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

constexpr double kLeft = 190, kWidth = 940, kLane = 22, kTop = 26;

struct Bar {
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
    std::string_view style;
    std::string what;        ///< escaped
};

struct Lane {
    decode::Task process;
    std::vector<Bar> bars;
    std::uint64_t busy_ns = 0;   ///< of its bars, summed
};

class Timeline {
public:
    Timeline(const aggregate::Report& report, const diagnose::Findings& findings)
        : report_(report), findings_(findings), start_ns_(report.host.start_ns),
          span_ns_(std::max<std::uint64_t>(since(report.end_ns, start_ns_), 1))
    {
        collect();
    }

    std::string svg() const
    {
        if (lanes_.empty() && findings_.empty()) {
            return {};
        }
        std::vector<const Lane*> shown;
        for (const auto& [pid, lane] : lanes_) {
            shown.push_back(&lane);
        }
        std::ranges::stable_sort(shown, std::greater<>{}, &Lane::busy_ns);
        const std::size_t all = shown.size();
        shown.resize(std::min(all, kMostHtmlLanes));
        const double bottom = kTop + static_cast<double>(shown.size()) * kLane;
        std::string out = fmt::format(
            "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"Timeline\">\n",
            kLeft + kWidth + 10, bottom + 8);
        out += axis(bottom);
        for (std::size_t at = 0; at < shown.size(); ++at) {
            out += lane(*shown[at], kTop + static_cast<double>(at) * kLane);
        }
        out += marks(bottom) + "</svg>\n";
        return "<h2>Timeline</h2>\n" + std::string(kLegend) + out +
               (all > shown.size()
                    ? fmt::format("<p class=\"dim\">{} more processes are not shown.</p>\n",
                                  all - shown.size())
                    : "");
    }

private:
    static constexpr std::string_view kLegend =
        "<p><span class=\"key\"><svg width=\"12\" height=\"12\"><rect class=\"in\" width=\"12\" "
        "height=\"12\"/></svg>waits for data</span><span class=\"key\"><svg width=\"12\" "
        "height=\"12\"><rect class=\"out\" width=\"12\" height=\"12\"/></svg>waits for room</span>"
        "<span class=\"key\"><svg width=\"12\" height=\"12\"><rect class=\"deep\" width=\"12\" "
        "height=\"12\"/></svg>in D or K</span><span class=\"key\"><svg width=\"12\" "
        "height=\"12\"><rect class=\"stop\" width=\"12\" height=\"12\"/></svg>stopped, traced, "
        "frozen</span><span class=\"key\"><svg width=\"12\" height=\"12\"><rect class=\"sleep\" "
        "width=\"12\" height=\"12\"/></svg>poll, wait for a child</span></p>\n";

    void add(const decode::Task& process, Bar bar)
    {
        Lane& lane = lanes_[process.tgid];
        if (lane.process.comm.empty()) {
            lane.process = process;
        }
        lane.busy_ns += since(bar.end_ns, bar.start_ns);
        lane.bars.push_back(std::move(bar));
    }

    void collect()
    {
        for (const aggregate::SleepRow& row : report_.sleeps) {
            constexpr std::array kIn{"in poll", "in select", "in epoll_wait", "waits for a child"};
            add(row.process,
                {row.start_ns, row.end_ns, "sleep",
                 row.in == aggregate::SleepRow::In::other
                     ? "in " + diagnose::syscall(report_.host, row.syscall)
                     : kIn[static_cast<std::size_t>(row.in)]});
        }
        for (const aggregate::LongWait& wait : report_.long_waits) {
            const auto type = static_cast<decode::ObjectType>(wait.channel.type);
            add(wait.process, {wait.start_ns, wait.end_ns, wait.output ? "out" : "in",
                               fmt::format("waits for {} of {} {}{}",
                                           wait.output ? "room" : "data",
                                           kind_text(type), object_text(type, wait.channel.object),
                                           wait.waker.tid == 0 ? ""
                                                               : ", ended by " + task(wait.waker))});
        }
        for (const aggregate::StopRow& row : report_.stops) {
            add(row.process, {row.start_ns, row.end_ns, "stop",
                              std::string(decode::state_name(row.state))});
        }
        for (const aggregate::Death& death : report_.deaths) {
            if (death.sends.empty()) continue;
            const aggregate::Hindrance& why = death.sends.front().hindrance;
            if (why.sleep_end_ns > why.sleep_start_ns) {
                add(death.target, {why.sleep_start_ns, why.sleep_end_ns, "deep", "in D or K"});
            }
        }
    }

    double x(std::uint64_t time_ns) const
    {
        const std::uint64_t at_ns = std::min(since(time_ns, start_ns_), span_ns_);
        return kLeft + kWidth * static_cast<double>(at_ns) / static_cast<double>(span_ns_);
    }

    std::string axis(double bottom) const
    {
        std::string out;
        constexpr unsigned kTicks = 6;
        for (unsigned tick = 0; tick <= kTicks; ++tick) {
            const double at = kLeft + kWidth * tick / kTicks;
            out += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"20\" "
                               "y2=\"{1:.0f}\"/><text class=\"dim\" x=\"{0:.1f}\" y=\"14\" "
                               "text-anchor=\"{2}\">{3}</text>\n",
                               at, bottom, tick == kTicks ? "end" : "middle",
                               escaped(duration(span_ns_ / kTicks * tick)));
        }
        return out;
    }

    std::string lane(const Lane& lane, double y) const
    {
        std::string out = fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{}</text>\n",
                                      kLeft - 8, y + 15, task(lane.process));
        const auto life = std::ranges::find(report_.lives, lane.process.tgid,
                                            [](const auto& row) { return row.process.tgid; });
        const bool known = life != report_.lives.end();
        out += rect("life", known && life->born_ns != 0 ? life->born_ns : start_ns_,
                    known && life->exit_ns != 0 ? life->exit_ns : report_.end_ns, y, "");
        for (const Bar& bar : lane.bars) {
            out += rect(bar.style, bar.start_ns, bar.end_ns, y, bar.what);
        }
        return out;
    }

    std::string rect(std::string_view style, std::uint64_t start_ns, std::uint64_t end_ns,
                     double y, const std::string& what) const
    {
        const double from = x(start_ns);
        return fmt::format(
            "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.0f}\" width=\"{:.2f}\" height=\"16\">{}</rect>\n",
            style, from, y + 3, std::max(x(end_ns) - from, 0.5),
            what.empty() ? ""
                         : fmt::format("<title>{}: {} from {}</title>", what,
                                       escaped(duration(since(end_ns, start_ns))),
                                       escaped(duration(since(start_ns, start_ns_)))));
    }

    std::string marks(double bottom) const
    {
        std::string out;
        for (const diagnose::Finding& finding : findings_) {
            if (finding.at_ns >= start_ns_) {
                out += fmt::format("<line class=\"mark {}\" x1=\"{:.2f}\" x2=\"{:.2f}\" y1=\"18\" "
                                   "y2=\"{:.0f}\"><title>{}</title></line>\n",
                                   diagnose::name(finding.severity), x(finding.at_ns),
                                   x(finding.at_ns), bottom, escaped(finding.text));
            }
        }
        return out;
    }

    const aggregate::Report& report_;
    const diagnose::Findings& findings_;
    std::uint64_t start_ns_;
    std::uint64_t span_ns_;
    std::map<std::uint32_t, Lane> lanes_;   ///< by process
};

}  // namespace

std::string timeline(const aggregate::Report& report, const diagnose::Findings& findings)
{
    return Timeline(report, findings).svg();
}

}  // namespace ipcscope::render::html_parts
