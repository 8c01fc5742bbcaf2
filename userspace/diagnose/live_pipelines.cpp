// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/live_pipelines.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/units.hpp"
#include "diagnose/diagnose.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelRow;
using aggregate::Report;
using aggregate::StageRow;

const ChannelRow* channel_of(const Report& report, std::uint64_t object)
{
    const auto found = std::ranges::find_if(report.channels, [&](const ChannelRow& row) {
        return row.object.object == object && aggregate::channel_kind(row.type).flows;
    });
    return found == report.channels.end() ? nullptr : &*found;
}

/// When it ended; 0: it has not, as far as is known.
std::uint64_t ended_ns(const Report& report, std::uint32_t tgid)
{
    const auto life = std::ranges::lower_bound(
        report.lives, tgid, {}, [](const aggregate::LifeRow& row) { return row.process.tgid; });
    return life != report.lives.end() && life->process.tgid == tgid ? life->exit_ns : 0;
}

/// Whether all of it had ended by then.
bool was_over(const Report& report, const aggregate::Pipeline& pipeline, std::uint64_t by_ns)
{
    return std::ranges::all_of(pipeline.stages, [&](const StageRow& stage) {
        const std::uint64_t end_ns = ended_ns(report, stage.task.tgid);
        return end_ns != 0 && end_ns <= by_ns;
    });
}

std::vector<decode::Task> readers_of(const aggregate::Pipeline& pipeline, std::uint64_t object)
{
    std::vector<decode::Task> readers;
    for (const StageRow& stage : pipeline.stages) {
        if (std::ranges::find(stage.reads_from, object) != stage.reads_from.end()) {
            readers.push_back(stage.task);
        }
    }
    return readers;
}

}  // namespace

/// What was added since the sums last changed; nothing where they have not.
template <typename Key, std::size_t N>
std::array<std::uint64_t, N> LivePipelines::change(std::map<Key, Sums<N>>& all, const Key& key,
                                                   const std::array<std::uint64_t, N>& sums,
                                                   std::uint64_t start_ns, std::uint64_t now_ns,
                                                   std::uint64_t& over_ns,
                                                   std::uint64_t& quiet_ns)
{
    const auto [at, is_new] = all.try_emplace(key);
    Sums<N>& last = at->second;
    if (is_new) {
        last.at_ns = start_ns;
    }
    std::array<std::uint64_t, N> added{};
    if (!is_new && last.now == sums) {
        quiet_ns = since(now_ns, last.at_ns);
        return added;
    }
    over_ns = since(now_ns, last.at_ns);
    for (std::size_t i = 0; i < N; ++i) {
        added[i] = since(sums[i], last.now[i]);
    }
    last.now = sums;
    last.at_ns = now_ns;
    return added;
}

LiveLink LivePipelines::link(const ChannelRow& row, std::uint64_t now_ns)
{
    LiveLink made;
    made.channel = row.object;
    made.type = row.type;
    const auto added = change<aggregate::ObjectId, 3>(
        links_, row.object, {row.reads.bytes, row.full_ns, row.empty_ns}, row.first_ns, now_ns,
        made.over_ns, made.quiet_ns);
    made.bytes = added[0];
    made.full_ns = std::min(added[1], made.over_ns);
    made.empty_ns = std::min(added[2], made.over_ns);
    return made;
}

std::optional<LiveStage::Wait> LivePipelines::wait_of(const Report& report,
                                                      std::uint32_t tgid) const
{
    std::optional<LiveStage::Wait> most;
    for (const auto& [pair, ns] : now_) {
        const auto before = waits_.find(pair);
        const std::uint64_t added = since(ns, before == waits_.end() ? 0 : before->second);
        if (pair.first == tgid && pair.second != 0 && added != 0 && (!most || added > most->ns)) {
            most = LiveStage::Wait{{pair.second, 0, {}}, added};
        }
    }
    if (most) {
        for (const aggregate::WaitRow& row : report.waits) {
            if (row.waker.tgid == most->whom.tgid) {
                most->whom.comm = row.waker.comm;
            }
        }
    }
    return most;
}

LiveStage LivePipelines::stage(const Report& report, const StageRow& row, std::uint64_t now_ns)
{
    LiveStage made;
    made.task = row.task;
    made.rank = row.rank;
    made.ended = ended_ns(report, row.task.tgid) != 0;
    const auto added = change<std::uint32_t, 3>(
        stages_, row.task.tgid,
        {row.waiting_for_input_ns, row.waiting_for_output_ns, row.not_waiting_ns},
        since(now_ns, row.span_ns), now_ns, made.over_ns, made.quiet_ns);
    made.input_ns = std::min(added[0], made.over_ns);
    made.output_ns = std::min(added[1], made.over_ns);
    made.wait = wait_of(report, row.task.tgid);
    return made;
}

std::vector<LivePipeline> LivePipelines::of(const Report& report, const Findings& findings,
                                            std::uint64_t now_ns)
{
    now_.clear();
    for (const aggregate::WaitRow& row : report.waits) {
        std::uint64_t& sum = now_[{row.waiter.tgid, row.waker.tgid}];
        sum = plus(sum, row.total_ns);
    }
    std::map<std::uint32_t, LiveStage> stages;   // one may be in several pipelines
    std::map<aggregate::ObjectId, LiveLink> links;
    std::vector<LivePipeline> live;
    for (const aggregate::Pipeline& pipeline : report.pipelines) {
        if (was_over(report, pipeline, last_ns_)) {
            continue;
        }
        LivePipeline made;
        const auto slow = slow_stage_of(pipeline, findings);
        for (const StageRow& row : pipeline.stages) {
            if (!stages.contains(row.task.tgid)) {
                stages.emplace(row.task.tgid, stage(report, row, now_ns));
            }
            LiveStage one = stages.at(row.task.tgid);
            one.slow = slow == row.task.tgid;
            for (const std::uint64_t object : row.writes_to) {
                const ChannelRow* channel = channel_of(report, object);
                auto readers = readers_of(pipeline, object);
                if (channel != nullptr && !readers.empty()) {
                    if (!links.contains(channel->object)) {
                        links.emplace(channel->object, link(*channel, now_ns));
                    }
                    one.writes.push_back(links.at(channel->object));
                    one.writes.back().readers = std::move(readers);
                    made.bytes = plus(made.bytes, one.writes.back().bytes);
                }
            }
            made.stages.push_back(std::move(one));
        }
        live.push_back(std::move(made));
    }
    waits_ = std::move(now_);
    last_ns_ = now_ns;
    std::ranges::stable_sort(live, std::ranges::greater{}, &LivePipeline::bytes);
    return live;
}

}  // namespace ipcscope::diagnose
