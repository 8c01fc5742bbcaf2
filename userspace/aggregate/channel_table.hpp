// SPDX-License-Identifier: GPL-2.0-only
// Calls that put into channels and take out of them → rows per channel.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/busy_time.hpp"
#include "aggregate/channel_ends.hpp"
#include "aggregate/coverage.hpp"
#include "aggregate/report.hpp"
#include "aggregate/time_ledger.hpp"

namespace ipcscope::aggregate {

/// When a call slept, as far as its sums show: it is taken to have slept once,
/// to have waited for a CPU then, and to have returned.  A call that slept more
/// often, or copied for long, is off by the rest of its duration; for one caller
/// at a time the sum is exact all the same.
struct Span {
    std::uint64_t start_ns;
    std::uint64_t end_ns;
};
Span blocked_span(const decode::Event& event, const decode::Call& call);
/// `ns` of the time before a call that ended at its entry.
Span polled_span(const decode::Call& call, std::uint64_t ns);

/// The process of an event, by the name that it has then.
Task process_of(const decode::Event& event);

class ChannelTable {
public:
    /// `entry`: what TimeLedger made of it.
    void call(const decode::Event& event, const decode::Call& call, const ChannelUse& use,
              const TimeLedger::Entry& entry);
    /// No call on the channel, but it has a row from then on.
    void open(const decode::Event& event, const decode::Call& call, const ChannelUse& use);
    void holder(const decode::Event& event, const decode::Holder& holder);

    /// Channels that were used.
    std::vector<ChannelRow> rows(const Coverage& coverage) const;
    /// The same, at the end: no call may follow.
    std::vector<ChannelRow> take_rows(const Coverage& coverage);
    std::uint64_t evicted() const { return channels_.evicted(); }
    std::uint64_t ends_evicted() const;

private:
    struct Channel {
        ChannelRow row;
        BusyTime full;
        BusyTime empty;
        ChannelEnds readers;
        ChannelEnds writers;
        bool owners = true;   ///< of a semaphore: it was used as a mutex up to now
    };
    struct Held {
        Task process;
        std::uint64_t time_ns = 0;
        bool reads = false;
        bool writes = false;
        SafeText path;
    };

    /// Device and inode.  A pipe's inode number comes from a 32-bit counter of
    /// the kernel and is not reused in a trace's time; a FIFO's may be, after it
    /// was unlinked, and then the two share a row.
    Channel& channel(const decode::Call& call, const ChannelUse& use);
    void hold(Channel& channel, const ObjectId& end, const Held& held) const;
    static void take(Channel& channel, const decode::Event& event, const decode::Call& call);
    static ChannelRow row_of(const Channel& channel, const Coverage& coverage,
                             std::vector<ChannelEnd> readers, std::vector<ChannelEnd> writers);
    template <typename Make>
    std::vector<ChannelRow> sorted_rows(const Make& make) const;

    BoundedMap<ObjectId, Channel, ObjectId::Hash> channels_{kMostChannels};
    /// Who holds objects open: any of the machine's, by the object.
    BoundedMap<ObjectId, std::vector<Held>, ObjectId::Hash> held_{kMostHeld};
    /// The channels into which a socket sends.
    BoundedMap<ObjectId, ObjectId, ObjectId::Hash> sent_to_{kMostChannels};
    static constexpr std::size_t kMostHeld = 1u << 16;
};

}  // namespace ipcscope::aggregate
