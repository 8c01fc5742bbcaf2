// SPDX-License-Identifier: GPL-2.0-only
// Records of what had not ended when the trace did, from a thread's state.
#pragma once

#include <cstdint>

#include "source/producer.hpp"

struct ipcscope_thread_state;

namespace ipcscope::source::bpf {

/// Its open call, or else its time; its stay, if it is a long one; its open taking.
void visit_unfinished(const ipcscope_thread_state& thread, std::uint64_t stop_ns,
                      const Producer::Visit& visit);

}  // namespace ipcscope::source::bpf
