// SPDX-License-Identifier: GPL-2.0-only
// The wait graph: who waits for whom, by the facts of a report.  The judgements about
// channels are read from it and from nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "aggregate/report.hpp"

namespace ipcscope::diagnose {

using Pid = std::uint32_t;

/// Who holds the end of a channel at which a wait can be ended.
struct HeldBy {
    std::vector<const aggregate::ChannelEnd*> ends;
    /// No other process held it.
    bool all = false;
    /// All of them are known, and what they do is in the trace.
    bool known = false;
    /// Of a semaphore that none holds: who took it, and has exited without putting it back.
    const aggregate::ChannelEnd* left = nullptr;
    const aggregate::ChannelEnd* only() const
    {
        return known && ends.size() == 1 ? ends.front() : nullptr;
    }
};

class WaitGraph {
public:
    explicit WaitGraph(const aggregate::Report& report);

    const aggregate::Report& report() const { return report_; }

    /// nullptr: not in the report.
    const aggregate::ChannelRow* channel(const aggregate::ObjectId& id) const;
    const aggregate::LifeRow* life(Pid pid) const;
    /// Who resumed it: as a rule the debugger; nullptr: not known, or a SIGKILL ended it.
    const aggregate::LifeRow* resumer(const aggregate::StopRow& stop) const;
    /// nullptr: its time is not recorded.
    const aggregate::ProcessRow* process(Pid pid) const;
    /// The threads of a process, as far as records account for them.
    std::uint64_t threads(Pid pid) const;

    /// The end for which one waits who writes (`output`), or reads.
    static const std::vector<aggregate::ChannelEnd>& other_end(const aggregate::ChannelRow& channel,
                                                               bool output);
    /// Those that held it at `time_ns`.
    HeldBy held_by(const aggregate::ChannelRow& channel, bool output, std::uint64_t time_ns) const;
    /// Whether the process is known to have held it at any time.
    bool holds(const aggregate::ChannelRow& channel, bool output, Pid pid) const;

    /// Sleeps of one thread on one channel that follow each other, because a signal broke
    /// one off and the call was made again, are one.  By their beginning.
    const std::vector<aggregate::LongWait>& waits() const { return waits_; }

    /// The longest wait of the same thread on the same end that came to an end.
    std::uint64_t longest_over_ns(const aggregate::LongWait& wait) const;

    /// A stop of the process that overlaps the span by `least_ns`.
    const aggregate::StopRow* stopped(Pid pid, std::uint64_t start_ns, std::uint64_t end_ns,
                                      std::uint64_t least_ns) const;

    /// The sleep of the process in poll, or in a wait for a child, that covers all of the
    /// span; nullptr: there is none, or it has other threads.
    const aggregate::SleepRow* asleep(Pid pid, std::uint64_t start_ns,
                                      std::uint64_t end_ns) const;

    /// Its children at that time that had not exited, with those that it may have inherited
    /// (PR_SET_CHILD_SUBREAPER).
    std::vector<Pid> children(Pid pid, std::uint64_t time_ns) const;

    /// The child of `from` that the process is, or descends from; nullptr: it does not, or its
    /// parents are not known.
    const aggregate::LifeRow* branch(Pid pid, Pid from) const;

    /// No record of a call is missing.
    bool complete() const;

    /// The time in which others waited for the process, and it for none; its threads' sum.
    std::uint64_t alone_ns(Pid pid) const;
    std::uint64_t thread_alone_ns(std::uint32_t tid) const;

    /// A process that a finding names as the reason: it is not the reason of another.
    void accuse(Pid pid) { accused_.insert(pid); }
    bool accused(Pid pid) const { return accused_.contains(pid); }

    /// A wait that a finding explains is in no other.
    void explain(const aggregate::LongWait& wait) { explained_.insert(&wait); }
    bool explained(const aggregate::LongWait& wait) const { return explained_.contains(&wait); }

private:
    HeldBy owned_by(const aggregate::ChannelRow& channel, std::uint64_t time_ns) const;

    const aggregate::Report& report_;
    std::map<aggregate::ObjectId, const aggregate::ChannelRow*> channels_;
    std::map<Pid, const aggregate::LifeRow*> lives_;
    std::map<Pid, const aggregate::ProcessRow*> processes_;
    std::multimap<Pid, const aggregate::StopRow*> stops_;
    std::multimap<Pid, const aggregate::SleepRow*> sleeps_;
    std::multimap<Pid, const aggregate::LifeRow*> children_;   ///< by parent
    std::multimap<std::uint32_t, const aggregate::WaitRow*> waits_of_;   ///< by waiter
    std::vector<aggregate::LongWait> waits_;
    std::map<Pid, std::uint64_t> alone_ns_;
    std::map<std::uint32_t, std::uint64_t> thread_alone_ns_;
    std::set<const aggregate::LongWait*> explained_;
    std::set<Pid> accused_;
};

}  // namespace ipcscope::diagnose
