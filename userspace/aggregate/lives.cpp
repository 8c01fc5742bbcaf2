// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/lives.hpp"

#include <algorithm>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {

void LifeTable::thread(const decode::Event& event, const decode::Thread& thread)
{
    LifeRow& life = lives_.use(event.task.tgid);
    const bool leader = event.task.tid == event.task.tgid;
    if (thread.reason == IPCSCOPE_THREAD_FORK && leader) {
        life = LifeRow{};   // its number may have been another's
        life.born_ns = event.time_ns;
    }
    if (thread.reason == IPCSCOPE_THREAD_EXEC) {
        const Comm name = process_of(event).comm;
        life.exec_ns = event.time_ns;
        life.before_exec = life.process.comm == name ? life.before_exec : life.process.comm;
    }
    if (life.process.comm.empty() || leader) {
        life.process = process_of(event);
    }
    if (life.ppid == 0) {
        life.ppid = thread.ppid;
    }
}

void LifeTable::time(const decode::Event& event, const decode::ThreadTime& time)
{
    LifeRow& life = lives_.use(event.task.tgid);
    if (life.process.comm.empty()) {
        life.process = process_of(event);
    }
    if (event.kind == IPCSCOPE_THREAD_EXIT && time.group_dead) {
        life.exit_ns = event.time_ns;
        life.exit_code = time.exit_code;
    }
}

std::vector<LifeRow> LifeTable::rows() const
{
    std::vector<LifeRow> out;
    for (const auto& [tgid, life] : lives_) {
        out.push_back(life);
    }
    std::ranges::sort(out, {}, [](const LifeRow& life) { return life.process.tgid; });
    return out;
}

}  // namespace ipcscope::aggregate
