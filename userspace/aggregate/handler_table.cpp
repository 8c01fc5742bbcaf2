// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/handler_table.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <unordered_map>

#include "aggregate/channel_table.hpp"
#include "base/units.hpp"

namespace ipcscope::aggregate {

HandlerRow& HandlerTable::row_of(const decode::Event& event, unsigned signal)
{
    HandlerRow& row = rows_.use({event.task.tgid, signal});
    row.task = process_of(event);
    row.signal = signal;
    return row;
}

void HandlerTable::take(const decode::Event& event, const decode::SignalTake& body)
{
    if (decode::how_of(body) != decode::How::handler) {
        return;
    }
    row_of(event, body.sig);
    auto& running = running_.use(event.task.tid);
    if (running.size() < kMostRunning) {
        running.push_back({{event.task.tgid, body.sig}, event.time_ns});
    }
}

void HandlerTable::run(const decode::Event& event, const decode::SignalHandler& body)
{
    HandlerRow& row = row_of(event, body.sig);
    row.depth = std::max(row.depth, unsigned{body.depth});
    if (auto* running = running_.find(event.task.tid)) {
        const auto last = std::find_if(running->rbegin(), running->rend(), [&](const Running& one) {
            return one.key.signal == body.sig && one.since_ns <= body.enter_ns;
        });
        if (last != running->rend()) {
            running->erase(std::next(last).base());
        }
    }
    if (body.left) {
        ++row.left;
        return;
    }
    const std::uint64_t ns = since(event.time_ns, body.enter_ns);
    if (row.time.count() == 0 || ns > row.time.max()) {
        row.longest_ns = body.enter_ns;
    }
    row.time.add(ns);
}

void HandlerTable::cut(std::uint32_t tid)
{
    if (const auto* running = running_.find(tid)) {
        for (const Running& one : *running) {
            if (HandlerRow* row = rows_.find(one.key)) {
                ++row->cut;
            }
        }
        running_.erase(tid);
    }
}

std::vector<HandlerRow> HandlerTable::rows() const
{
    std::unordered_map<Key, std::uint64_t, Hash> running;
    running_.visit_all([&](const auto& entry, std::uint64_t) {
        for (const Running& one : entry.second) {
            ++running[one.key];
        }
    });
    std::vector<HandlerRow> out;
    for (const auto& [key, counted] : rows_) {
        out.push_back(counted);
        const auto found = running.find(key);
        out.back().running = found == running.end() ? 0 : found->second;
    }
    std::ranges::stable_sort(out, [](const HandlerRow& a, const HandlerRow& b) {
        return std::tuple(b.time.sum(), a.task.tgid, a.signal) <
               std::tuple(a.time.sum(), b.task.tgid, b.signal);
    });
    return out;
}

}  // namespace ipcscope::aggregate
