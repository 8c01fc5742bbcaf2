// SPDX-License-Identifier: GPL-2.0-only
// Who waited on a channel, how long, and who ended the wait: the edges of the wait graph.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/busy_time.hpp"
#include "aggregate/call_sleeps.hpp"
#include "aggregate/report.hpp"
#include "aggregate/time_ledger.hpp"

namespace ipcscope::aggregate {

/// Takes the records of calls on channels, and of what their threads did, in order.
class WaitTable {
public:
    void thread(const decode::Event& event, const decode::Thread& thread);
    void slice(const decode::Event& event, const decode::Slice& slice);
    void call(const decode::Event& event, const decode::Call& call, const ChannelUse& use,
              const TimeLedger::Entry& entry);
    /// The open of one end of a FIFO.
    void open(const decode::Event& event, const decode::Call& call, const ChannelUse& use);
    /// One that never returned is noted; of others `connected` follows where it waited, and
    /// whose accept() ended that is known.
    void connect(const decode::Event& event, const decode::Call& call);
    void connected(const decode::Event& event, const decode::Call& call, const ChannelUse& use);
    void time(const decode::Event& event);

    std::vector<WaitRow> rows() const;        ///< by time waited, descending
    std::vector<LongWait> long_waits() const; ///< by their beginning
    std::vector<ActorRow> actors() const;     ///< that waited, or were waited for
    std::uint64_t evicted() const;

    static constexpr std::size_t kMostEdges = 1u << 16;
    static constexpr std::size_t kMostThreads = 1u << 16;
    static constexpr std::size_t kMostLong = 4096;      ///< the longest
    static constexpr std::size_t kMostSlices = 64;      ///< of one call
    static constexpr std::size_t kMostUsers = 16;       ///< of one end of a channel

private:
    /// What a thread was for others.
    struct Blame {
        BusyTime own;         ///< it waited
        BusyTime both;        ///< it waited, or was waited for
        std::uint64_t waited_for_ns = 0;
    };
    struct Actor {
        Task task;
        std::uint32_t parent = 0;         ///< process
        std::uint64_t born_ns = 0;        ///< 0: before the trace, or not seen
        std::uint64_t first_call_ns = 0;  ///< 0: none yet
        std::vector<Sleep> slices;        ///< of the call that it is in
        std::vector<Sleep> idle;          ///< before its first call: asleep of its own will, or in poll
        std::unique_ptr<Blame> blame;
        Blame& judged();
    };
    struct Object {
        std::array<std::uint32_t, 2> last_tid{};   ///< that read, that wrote
        std::array<std::vector<std::uint32_t>, 2> users;   ///< likewise, a few of them
        bool used(bool write, std::uint32_t tid) const;
        void use(bool write, std::uint32_t tid);
    };
    struct Key {
        ObjectId object;
        bool output = false;
        std::uint32_t waiter = 0;
        std::uint32_t waker = 0;
        friend bool operator==(const Key&, const Key&) = default;
        struct Hash {
            std::size_t operator()(const Key& key) const
            {
                return mix(mix(ObjectId::Hash{}(key.object), key.waiter),
                           std::uint64_t{key.waker} << 1 | (key.output ? 1 : 0));
            }
        };
    };
    /// A wait, as far as it is the same for all of its pieces.
    struct Wait {
        const decode::Event& event;
        const decode::Call& call;
        const ChannelUse& use;
        bool polled;
        bool broken_off;   ///< by a signal
    };

    Actor& actor(const decode::Event& event);
    void book(const Wait& wait, const Sleep& piece);
    void book_to(const Wait& wait, const Sleep& piece, std::uint32_t waker_tid);
    void blame(Actor& actor, const Sleep& piece, bool flows);
    void note_long(const Wait& wait, const Sleep& piece, bool last);
    Task task_of(std::uint32_t tid) const;

    BoundedMap<std::uint32_t, Actor> actors_{kMostThreads};
    BoundedMap<ObjectId, Object, ObjectId::Hash> objects_{kMostChannels};
    BoundedMap<Key, WaitRow, Key::Hash> edges_{kMostEdges};
    std::vector<LongWait> long_;   ///< a heap, the shortest first
    std::uint64_t long_evicted_ = 0;
};

/// The same for processes: tid = 0, and what their threads waited as a sum; by time,
/// descending.  The names are those of the first.
std::vector<WaitRow> by_process(const std::vector<WaitRow>& rows);

}  // namespace ipcscope::aggregate
