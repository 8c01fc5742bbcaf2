// SPDX-License-Identifier: GPL-2.0-only
// Where the time of a record went: the parts add up to the span, exactly.
#pragma once

#include "decode/event.hpp"

namespace ipcscope::decode {

/// From the thread's last record to the entry of this call.
Between between(const Call& call);
/// From the entry to event.time_ns.
Inside inside(const Event& event, const Call& call);
/// From the thread's last record to event.time_ns.
Between between(const Event& event, const ThreadTime& time);

}  // namespace ipcscope::decode
