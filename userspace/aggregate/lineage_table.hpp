// SPDX-License-Identifier: GPL-2.0-only
// Signals that end or stop a process → whose children their senders and targets were.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/lineage.hpp"

namespace ipcscope::aggregate {

/// An ancestor is the parent at that moment: as recorded, or, where that one has ended or
/// is not traced, as /proc had it then.
class LineageTable {
public:
    void on(const decode::Event& event, const decode::SignalGenerate& body);
    void on(const decode::Event& event, const decode::Thread& body);
    void on(const decode::Event& event, const decode::ThreadTime& body);
    void on(const decode::Event& event, const decode::ThreadFree& body);
    void on(const decode::Event& event, const decode::Process& body);
    void on(const decode::User& body) { users_[body.record.id] = body.name; }
    void on(const decode::Cgroup& body) { cgroups_[body.record.id] = body.path; }

    /// By the process's number, then by time.
    std::vector<Lineage> rows() const;

private:
    struct Known {
        Comm comm;
        std::uint32_t ppid = 0;
        std::uint32_t uid = 0;
        std::uint32_t ns_pid = 0;
        std::uint64_t cgroup = 0;
        std::uint64_t start_ns = 0;
        std::uint64_t told_ns = 0;      ///< by its last THREAD record; 0: by none
        std::uint64_t looked_ns = 0;    ///< /proc was looked at; 0: it was not
        std::uint32_t looked_ppid = 0;
        bool traced = false;            ///< so that its end is recorded
        bool ended = false;
        Comm looked_comm;
        SafeText command;               ///< of it
    };

    void note(std::uint32_t tgid, std::uint64_t time_ns);
    Lineage lineage_of(std::uint32_t tgid) const;
    std::uint32_t parent_of(const Known& process) const;

    static constexpr std::size_t kMostProcesses = 65536;
    static constexpr std::size_t kMostNoted = 16384;
    static constexpr std::size_t kMostEach = 16;
    static constexpr std::size_t kMostAncestors = 32;

    BoundedMap<std::uint32_t, Known> processes_{kMostProcesses};   ///< by tgid
    BoundedMap<std::uint32_t, std::vector<Lineage>> noted_{kMostNoted};
    std::unordered_map<std::uint64_t, SafeText> users_;
    std::unordered_map<std::uint64_t, SafeText> cgroups_;
};

}  // namespace ipcscope::aggregate
