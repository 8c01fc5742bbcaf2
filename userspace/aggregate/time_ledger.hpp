// SPDX-License-Identifier: GPL-2.0-only
// Records about the time of threads → parts that add up to the span.
#pragma once

#include <array>
#include <cstdint>

#include "aggregate/bounded_map.hpp"
#include "aggregate/channel.hpp"
#include "aggregate/object_level.hpp"
#include "aggregate/time.hpp"
#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// What a call is for, as far as waiting goes.
enum class Direction : std::uint8_t { input, output, neither };
Direction direction_of(decode::Op op);
/// Of an open: by the end that it opens.  Neither: what it waits for is no end of its
/// object, or it has none.
Direction direction_of(const decode::Call& call);

/// A thread is accounted for from its first record's since_ns on.  Where a record does
/// not begin where the one before it ended, records are missing: that time is
/// unaccounted.  What is stopped, traced and frozen comes from slices, which a backend
/// writes before the record that accounts for them.
class TimeLedger {
public:
    /// What one record accounts for.
    struct Entry {
        bool first = false;    ///< of its thread
        Time before;           ///< until the call's entry
        Time inside;           ///< the call
    };

    void slice(const decode::Event& event, const decode::Slice& slice);
    Entry call(const decode::Event& event, const decode::Call& call);
    Entry time(const decode::Event& event, const decode::ThreadTime& time);
    /// The thread has no further records.
    void forget(std::uint32_t tid) { threads_.erase(tid); }

    static constexpr std::size_t kMostThreads = 1u << 18;
    static constexpr std::size_t kMostLevels = 1u << 16;

private:
    struct Slices {
        std::uint64_t stopped_ns = 0;
        std::uint64_t traced_ns = 0;
        std::uint64_t frozen_ns = 0;
    };
    /// Long polls since the last record, by what ended them.
    struct Polls {
        std::uint64_t timed_out_ns = 0;
        std::uint64_t woken_ns = 0;
    };
    struct Thread {
        std::uint64_t accounted_ns = 0;   ///< until then; 0: no record yet
        Polls polls;
        Slices between;                   ///< not yet accounted for
        Slices inside;
    };

    Thread& begin(const decode::Event& event, std::uint64_t since_ns, Entry& entry);
    static void take(Slices& slices, std::uint64_t ns, Part rest, Time& time);
    static void add(Time& time, const decode::Between& between, Thread& thread);
    void add_polling(Time& time, const decode::Call& call, const decode::Between& between,
                     const Polls& polls) const;

    BoundedMap<std::uint32_t, Thread> threads_{kMostThreads};
    BoundedMap<ObjectId, ObjectLevel, ObjectId::Hash> levels_{kMostLevels};
};

}  // namespace ipcscope::aggregate
