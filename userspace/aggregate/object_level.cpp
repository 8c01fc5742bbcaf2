// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/object_level.hpp"

#include <cerrno>

#include "aggregate/channel.hpp"

namespace ipcscope::aggregate {
namespace {

/// A slot holds a page; no page is smaller.
constexpr std::uint64_t kLeastPage_bytes = 4096;

bool left_room(const decode::Call& call)
{
    const auto written = static_cast<std::uint32_t>(call.ret);
    const std::uint64_t slots = (written + kLeastPage_bytes - 1) / kLeastPage_bytes;
    return written == call.requested && call.sleeps == 0 &&
           call.tail.pipe.used_slots + slots < call.tail.pipe.ring_slots;
}

}  // namespace

void ObjectLevel::call(const decode::Event& event, const decode::Call& call)
{
    if (event.unfinished) return;
    const auto use = channel_use(call);
    if (!use) return;
    const bool write = use->output;
    const std::uint64_t bytes = moved_bytes(call);
    // It was empty as this read began, and no call has returned since: that puts the level right
    // where records were lost.
    if (!write && call.tail.pipe.used_slots == 0 && last_ns_ <= call.enter_ns) level_bytes_ = 0;
    last_ns_ = event.time_ns;
    level_bytes_ += write ? bytes : 0 - bytes;
    seen_empty_ = seen_empty_ || call.tail.pipe.used_slots == 0;
    if (static_cast<std::int64_t>(level_bytes_) <= 0) {
        filled_ns_ = 0;
        // All that is known to have been written is read: it has room.
        if (!write && seen_empty_ && room_ns_ == 0) room_ns_ = event.time_ns;
    } else if (filled_ns_ == 0)
        filled_ns_ = event.time_ns;

    if (!write || (bytes == 0 && call.ret != -EAGAIN)) return;
    if (bytes > 0 && left_room(call)) {
        if (room_ns_ == 0) room_ns_ = event.time_ns;
        was_full_ = false;
    } else {
        room_ns_ = 0;
        was_full_ = true;
    }
}

}  // namespace ipcscope::aggregate
