// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <vector>

#include "bench/mechanisms/mechanisms.hpp"

namespace ipcscope::bench {

std::span<const Mechanism> mechanisms()
{
    static const std::vector<Mechanism> all = [] {
        std::vector<Mechanism> joined;
        for (const std::span<const Mechanism> table :
             {shared_memory_mechanisms(), shm_ring_mechanisms(), eventfd_mechanisms(),
              futex_mechanisms(), semaphore_mechanisms(), pipe_mechanisms(),
              splice_mechanisms(), socket_mechanisms(), fd_passing_mechanisms(),
              tcp_mechanisms(), message_queue_mechanisms(), signal_mechanisms()}) {
            joined.insert(joined.end(), table.begin(), table.end());
        }
        return joined;
    }();
    return all;
}

const Mechanism* find_mechanism(std::string_view name)
{
    const auto all = mechanisms();
    const auto at = std::find_if(all.begin(), all.end(), [name](const Mechanism& one) {
        return one.name == name;
    });
    return at == all.end() ? nullptr : &*at;
}

}  // namespace ipcscope::bench
