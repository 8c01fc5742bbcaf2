// SPDX-License-Identifier: GPL-2.0-only
// The pipelines of a running trace, as they were in one interval.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// A stage, or a link, has the time since the interval in which it last had a record: a call
/// is recorded as it ends, with all that it waited.
struct LiveLink {
    aggregate::ObjectId channel;
    decode::ObjectType type{};
    std::uint64_t over_ns = 0;      ///< its figures are of this time
    std::uint64_t bytes = 0;        ///< moved in it
    std::uint64_t full_ns = 0;      ///< a writer waited
    std::uint64_t empty_ns = 0;     ///< a reader waited
    std::uint64_t quiet_ns = 0;     ///< no call has ended for so long; 0: one has
    std::vector<decode::Task> readers;   ///< stages that read it
};

struct LiveStage {
    /// For whom it waited most.
    struct Wait {
        decode::Task whom;
        std::uint64_t ns = 0;
    };
    /// What its main thread is in.
    struct Doing {
        std::string call;           ///< its name; empty: of a number, or none
        std::optional<std::uint32_t> number;   ///< of the system call; nullopt: it is in none
        std::uint64_t pipe = 0;     ///< inode; 0: the call is on none, or on more than is known
    };
    decode::Task task;
    unsigned rank = 0;
    bool slow = false;              ///< by a finding: the others wait for it
    std::uint64_t over_ns = 0;
    std::uint64_t input_ns = 0;     ///< it waited for input
    std::uint64_t output_ns = 0;    ///< for room
    std::uint64_t quiet_ns = 0;
    std::optional<Wait> wait;
    std::optional<Doing> doing;     ///< where no call has ended, and it is known
    bool ended = false;
    std::vector<LiveLink> writes;   ///< to other stages
};

struct LivePipeline {
    std::vector<LiveStage> stages;  ///< by rank
    std::uint64_t bytes = 0;        ///< through all its links
};

class LivePipelines {
public:
    /// Those of which a process is there still, or that ended after the last call, the busiest
    /// first.  `report`: a snapshot as of `now_ns`, later than that of the last call.
    std::vector<LivePipeline> of(const aggregate::Report& report, const Findings& findings,
                                 std::uint64_t now_ns);

private:
    /// Sums as of when they last changed.
    template <std::size_t N>
    struct Sums {
        std::array<std::uint64_t, N> now{};
        std::uint64_t at_ns = 0;
        bool operator==(const Sums& other) const { return now == other.now; }
    };
    using Waits = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>;

    LiveLink link(const aggregate::ChannelRow& row, std::uint64_t now_ns);
    LiveStage stage(const aggregate::Report& report, const aggregate::StageRow& row,
                    std::uint64_t now_ns);
    template <typename Key, std::size_t N>
    std::array<std::uint64_t, N> change(std::map<Key, Sums<N>>& all, const Key& key,
                                        const std::array<std::uint64_t, N>& sums,
                                        std::uint64_t start_ns, std::uint64_t now_ns,
                                        std::uint64_t& over_ns, std::uint64_t& quiet_ns);
    std::optional<LiveStage::Wait> wait_of(const aggregate::Report& report,
                                           std::uint32_t tgid) const;

    std::map<aggregate::ObjectId, Sums<3>> links_;
    std::map<std::uint32_t, Sums<3>> stages_;
    std::uint64_t last_ns_ = 0;     ///< of the last call
    Waits waits_;                   ///< by waiter and waker, processes: before this call
    Waits now_;
};

}  // namespace ipcscope::diagnose
