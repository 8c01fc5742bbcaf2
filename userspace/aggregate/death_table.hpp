// SPDX-License-Identifier: GPL-2.0-only
// Processes that got a signal which should end them → one Death each.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/coverage.hpp"
#include "aggregate/death.hpp"
#include "aggregate/mask_table.hpp"
#include "aggregate/stay_table.hpp"

namespace ipcscope::aggregate {

/// A Death begins with the first signal whose default action ends a process: any SIGHUP,
/// SIGINT, SIGQUIT, SIGKILL or SIGTERM, another where it is fatal, a handled fault where the
/// process sends itself that signal once more.  It ends as the process is reaped.  Of those that
/// have ended the ones that took longest are kept.
class DeathTable {
public:
    static constexpr std::size_t kMostDeaths = 1024;
    static constexpr std::size_t kMostOpen = 4096;
    static constexpr std::size_t kMostProcesses = 65536;

    DeathTable(const StayTable& stays, const MaskTable& masks) : stays_(stays), masks_(masks) {}

    void on(const decode::Event& event, const decode::SignalGenerate& body);
    void on(const decode::Event& event, const decode::SignalTake& body);
    void on(const decode::Event& event, const decode::SignalHandler& body);
    void on(const decode::Event& event, const decode::Kill& body);
    void on(const decode::Event& event, const decode::Thread& body);
    void on(const decode::Event& event, const decode::ThreadTime& body);
    void on(const decode::Event& event, const decode::ThreadFree& body);
    void on(const decode::Event& event, const decode::Slice& body);
    void on(const decode::Event& event, const decode::Call& body);
    void on(const decode::Event& event, const decode::Symbol& body);
    void on(const decode::Event& event, const decode::Observed& body);

    /// By the time of the first send; `end_ns`: of the trace, so far.
    std::vector<Death> rows(const Coverage& coverage, std::uint64_t end_ns) const;
    /// By the parent's number.
    std::vector<Unreaped> unreaped(const Coverage& coverage, std::uint64_t end_ns) const;
    std::uint64_t evicted() const { return evicted_ + open_.evicted(); }

private:
    struct Process {
        Task task;                      ///< tid = 0
        std::uint32_t ppid = 0;
        std::uint64_t born_ns = 0;      ///< 0: before the trace, or not seen
        std::uint64_t exited_ns = 0;    ///< 0: it has not
        std::int32_t exit_code = 0;
        std::uint64_t blocked_at_birth = 0;    ///< masks of its leader; 0: none, or not seen
        std::uint64_t blocked_at_exec = 0;     ///< at its last one
        bool execed = false;
        bool notified = false;          ///< exited_ns is that of its own SIGCHLD
        std::uint64_t child_taken_ns = 0;      ///< it last took a SIGCHLD
        std::uint64_t unreaped_ns = 0;  ///< its parent did nothing from its exit until then
        bool orphaned = false;          ///< another than its parent was notified of its end
        bool threads = false;           ///< it has several
        std::vector<std::uint32_t> zombies;    ///< its children, of which no more is known
    };

    Death* find(std::uint32_t tgid) { return open_.find(tgid); }
    Death& open(const decode::Event& event, std::uint32_t tgid);
    void close(std::uint32_t tgid);
    Hindrance hindrance(const Death& death, const DeathSend& send, std::uint64_t end_ns) const;
    void finish(Death& death, std::uint64_t end_ns) const;
    void idle(const decode::Event& event, std::uint64_t start_ns, std::uint64_t end_ns);
    void freed(Death& death, std::uint64_t time_ns);
    void exited(std::uint32_t tgid, std::uint64_t time_ns, std::int32_t code, bool notified);
    void left(const Process& parent, std::uint32_t child, std::uint64_t end_ns,
              Unreaped& row) const;
    void note_mask(DeathSend& send, const decode::SignalGenerate& body) const;
    const DeathSend* fault_before(const decode::Event& event,
                                  const decode::SignalGenerate& body) const;
    void settle_children(Process& parent, std::uint64_t end_ns);
    Task task_of(std::uint32_t tgid) const;
    std::vector<SafeText> named(std::span<const __u64> ids, std::size_t depth) const;

    const StayTable& stays_;
    const MaskTable& masks_;
    BoundedMap<std::uint32_t, Process> processes_{kMostProcesses};   ///< by tgid
    BoundedMap<std::uint32_t, Death> open_{kMostOpen};
    BoundedMap<std::uint32_t, Comm> senders_{kMostOpen};   ///< their newest names, by tgid
    BoundedMap<std::uint32_t, DeathSend> faults_{kMostOpen};   ///< their last handled ones, by tgid
    BoundedMap<std::uint32_t, Unreaped> unreaped_{kMostOpen};   ///< by the parent's tgid
    std::size_t zombies_ = 0;            ///< of all processes, at least
    std::vector<Death> closed_;          ///< full: a heap, the quickest first
    std::unordered_map<std::uint64_t, SafeText> symbols_;
    std::uint64_t evicted_ = 0;
};

}  // namespace ipcscope::aggregate
