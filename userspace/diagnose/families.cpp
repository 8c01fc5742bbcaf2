// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/families.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace ipcscope::diagnose {
namespace {

using aggregate::LifeRow;
using aggregate::StageRow;

/// None was born before the one before it was gone.
bool follow_each_other(const std::vector<const LifeRow*>& lives)
{
    for (std::size_t at = 1; at < lives.size(); ++at) {
        const std::uint64_t gone_ns = lives[at - 1]->exit_ns;
        if (gone_ns == 0 || lives[at]->born_ns < gone_ns) {
            return false;
        }
    }
    return lives.size() > 1;
}

}  // namespace

std::vector<Family> find_families(const WaitGraph& graph, const aggregate::Pipeline& pipeline)
{
    using Key = std::tuple<Pid, std::vector<std::uint64_t>, std::vector<std::uint64_t>>;
    std::map<Key, std::vector<const LifeRow*>> groups;
    for (const StageRow& stage : pipeline.stages) {
        const LifeRow* life = graph.life(stage.task.tgid);
        if (life != nullptr && life->born_ns != 0 && graph.process(life->ppid) != nullptr) {
            groups[{life->ppid, stage.reads_from, stage.writes_to}].push_back(life);
        }
    }
    std::vector<Family> found;
    for (auto& [key, lives] : groups) {
        std::ranges::sort(lives, {}, &LifeRow::born_ns);
        if (!follow_each_other(lives)) {
            continue;
        }
        Family family{std::get<Pid>(key), {}};
        for (const LifeRow* life : lives) {
            family.children.push_back(life->process.tgid);
        }
        found.push_back(std::move(family));
    }
    return found;
}

}  // namespace ipcscope::diagnose
