// SPDX-License-Identifier: GPL-2.0-only
// The tables of mechanisms, one a file, in the order of the list.
#pragma once

#include <span>

#include "bench/channel.hpp"

namespace ipcscope::bench {

std::span<const Mechanism> shared_memory_mechanisms();
std::span<const Mechanism> shm_ring_mechanisms();
std::span<const Mechanism> eventfd_mechanisms();
std::span<const Mechanism> futex_mechanisms();
std::span<const Mechanism> semaphore_mechanisms();
std::span<const Mechanism> pipe_mechanisms();
std::span<const Mechanism> splice_mechanisms();
std::span<const Mechanism> socket_mechanisms();
std::span<const Mechanism> fd_passing_mechanisms();
std::span<const Mechanism> tcp_mechanisms();
std::span<const Mechanism> message_queue_mechanisms();
std::span<const Mechanism> signal_mechanisms();

}  // namespace ipcscope::bench
