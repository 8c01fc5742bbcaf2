// SPDX-License-Identifier: GPL-2.0-only
#include "render/folded.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <map>
#include <span>
#include <tuple>

#include "base/units.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::render {
namespace {

using aggregate::ChannelRow;
using aggregate::ProcessRow;
using aggregate::SignalRow;
using Pid = std::uint32_t;

/// Fewer processes of one name have a line each.
constexpr std::size_t kLeastFolded = 3;

std::set<Pid> named(const diagnose::Findings& findings)
{
    std::set<Pid> pids;
    for (const diagnose::Finding& finding : findings) {
        for (const diagnose::Subject& subject : finding.subjects) {
            pids.insert(subject.task.tgid);
        }
    }
    return pids;
}

/// What takes less of the trace is next to nothing.
std::uint64_t little_ns(const Page& page) { return page.duration_ns() / 100; }

bool is_little(const aggregate::Pipeline& pipeline, std::uint64_t little_ns, const std::set<Pid>& named)
{
    return pipeline.span_ns < little_ns &&
           std::ranges::none_of(pipeline.stages, [&](const aggregate::StageRow& stage) {
               return stage.span_ns >= little_ns || named.contains(stage.task.tgid);
           });
}

/// Of a single write there is no rate, and the table of waits has what its reader waited.
bool is_little(const ChannelRow& pipe, const diagnose::Findings& findings)
{
    return pipe.writes.traced && pipe.writes.count <= 1 &&
           pipe.writes.unfinished + pipe.reads.unfinished == 0 &&
           std::ranges::none_of(findings, [&](const diagnose::Finding& finding) {
               return std::ranges::count(finding.objects, pipe.object.object, &diagnose::Object::inode) != 0;
           });
}

/// A few that are little are not worth a line about them.
template <typename Row, typename IsLittle>
Notable<Row> parted(const std::vector<const Row*>& rows, const Page& page, IsLittle is_little)
{
    Notable<Row> notable{rows};
    if (page.options.top != 0 && !page.options.sort) {
        std::erase_if(notable.rows, is_little);
        notable.others = rows.size() - notable.rows.size();
    }
    return notable.others < kLeastFolded ? Notable<Row>{rows} : notable;
}

/// What the rows of one line have in common; a number of 0: any process of the name.
struct Key {
    unsigned signal = 0;
    decode::Origin origin{};
    Comm sender;
    Pid sender_pid = 0;
    Comm target;
    Pid target_pid = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
};

Key key_of(const SignalRow& row, const std::set<Pid>& named)
{
    Key key{row.signal, row.origin, row.sender.comm, 0, row.target.comm, 0};
    if (row.signal == SIGCHLD) {
        key.sender = {};
    } else if (named.contains(row.sender.tgid)) {
        key.sender_pid = row.sender.tgid;
    }
    if (named.contains(row.target.tgid)) {
        key.target_pid = row.target.tgid;
    }
    return key;
}

void add(SignalRow& sum, const SignalRow& row)
{
    for (std::size_t at = 0; at < row.outcomes.size(); ++at) {
        sum.outcomes[at] += row.outcomes[at];
    }
    for (std::size_t at = 0; at < row.ends.size(); ++at) {
        sum.ends[at] += row.ends[at];
    }
    sum.requeued += row.requeued;
    sum.latency.merge(row.latency);
}

SignalLine line_of(const SignalRow& row)
{
    return {row, {row.sender.tgid}, {row.target.tgid}};
}

SignalLine sum_of(const std::vector<const SignalRow*>& rows)
{
    SignalLine line = line_of(*rows.front());
    for (const SignalRow* row : std::span(rows).subspan(1)) {
        add(line.row, *row);
        line.senders.insert(row->sender.tgid);
        line.targets.insert(row->target.tgid);
        line.one_name &= row->sender.comm == line.row.sender.comm;
    }
    return line;
}

}  // namespace

std::vector<SignalLine> folded(const Page& page)
{
    std::vector<SignalLine> lines;
    const auto& rows = page.report.signals;
    if (page.options.top == 0) {
        std::ranges::transform(rows, std::back_inserter(lines), line_of);
        return lines;
    }
    const std::set<Pid> apart = named(page.findings);
    std::map<Key, std::vector<const SignalRow*>> groups;
    for (const SignalRow& row : rows) {
        groups[key_of(row, apart)].push_back(&row);
    }
    for (const auto& [key, group] : groups) {
        if (group.size() >= (key.signal == SIGCHLD ? 2 : kLeastFolded)) {
            lines.push_back(sum_of(group));
            continue;
        }
        for (const SignalRow* row : group) {
            lines.push_back(line_of(*row));
        }
    }
    // What a finding may rest on is not left out.
    const auto order = [&](const SignalLine& line) {
        const bool is_named = apart.contains(line.row.target.tgid) ||
                              (apart.contains(line.row.sender.tgid) && line.senders.size() == 1);
        const bool matters = line.row.signal != SIGCHLD ||
                             line.row.at(decode::Outcome::already_pending) != 0;
        return std::tuple(!is_named || !matters, UINT64_MAX - diagnose::sent(line.row), line.row.first_ns);
    };
    std::ranges::sort(lines, {}, order);
    if (const auto key = page.options.sort) {
        std::ranges::stable_sort(lines, std::ranges::greater{}, [&](const SignalLine& line) {
            return aggregate::sort_value(line.row, *key);
        });
    }
    return lines;
}

std::vector<ProcessLine> folded(const Page& page, const std::vector<const ProcessRow*>& rows)
{
    const std::set<Pid> apart = named(page.findings);
    std::map<Comm, std::size_t> same;
    const auto may_fold = [&](const ProcessRow& row) {
        return page.options.top != 0 && !apart.contains(row.task.tgid);
    };
    for (const ProcessRow* row : rows) {
        same[row->task.comm] += may_fold(*row);
    }
    std::vector<ProcessLine> lines;
    std::map<Comm, std::size_t> at;
    for (const ProcessRow* row : rows) {
        if (!may_fold(*row) || same[row->task.comm] < kLeastFolded) {
            lines.push_back({*row});
            continue;
        }
        const auto [found, is_new] = at.emplace(row->task.comm, lines.size());
        if (is_new) {
            lines.push_back({*row});
            continue;
        }
        ProcessLine& line = lines[found->second];
        ++line.processes;
        line.row.threads += row->threads;
        line.row.time += row->time;
    }
    return lines;
}

Notable<aggregate::Pipeline> notable_pipelines(const Page& page)
{
    std::vector<const aggregate::Pipeline*> rows;
    for (const aggregate::Pipeline& pipeline : page.report.pipelines) {
        rows.push_back(&pipeline);
    }
    const std::set<Pid> apart = named(page.findings);
    return parted(rows, page, [&](const aggregate::Pipeline* row) {
        return is_little(*row, little_ns(page), apart);
    });
}

Notable<ChannelRow> notable_pipes(const Page& page)
{
    std::vector<const ChannelRow*> rows;
    for (const ChannelRow& channel : page.report.channels) {
        if (channel.is_pipe()) {
            rows.push_back(&channel);
        }
    }
    return parted(rows, page, [&](const ChannelRow* row) {
        return is_little(*row, page.findings);
    });
}

}  // namespace ipcscope::render
