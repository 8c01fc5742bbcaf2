// SPDX-License-Identifier: GPL-2.0-only
// A small model of the kernel's signal queues that acts at random, records what
// the hooks would, and knows how every signal really ended.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "scenario.hpp"

namespace ipcscope::correlate::test {

/// How a generated signal ended, by its time of generation.
struct Truth {
    End end = End::pending;
    std::uint64_t dequeued_ns = 0;
    std::uint64_t ended_ns = 0;
    std::uint32_t receiver = 0;
    bool has_value = false;
    bool queued = true;
};

class KernelSim {
public:
    explicit KernelSim(std::uint32_t seed);

    void step();
    const std::vector<decode::Event>& events() const { return scenario_.events; }
    const std::map<std::uint64_t, Truth>& truth() const { return truth_; }
    std::size_t orphans() const { return orphans_; }
    /// Deliveries that answer a send which only the exit code gives away.
    std::size_t unclear() const { return unclear_; }

private:
    struct Entry {
        std::uint64_t generated_ns;
        decode::SignalDequeue info;
    };
    struct Queue {
        std::map<unsigned, std::deque<Entry>> entries;
        std::map<unsigned, std::vector<std::uint64_t>> bits;   ///< by signal, times
        bool holds(unsigned signal) const { return entries.count(signal) || bits.count(signal); }
    };
    struct SimThread {
        Queue queue;
        std::set<unsigned> blocked;
    };
    struct SimProcess {
        std::map<std::uint32_t, SimThread> threads;   ///< those that live
        std::vector<std::uint32_t> unfreed;           ///< threads that exited
        Queue shared;
        std::set<unsigned> handled;
        bool group_exit = false;
        bool kill_seen = false;
        bool leader_gone = false;
        unsigned code = 0;
        std::vector<std::uint64_t> fatal;             ///< times of the sends that kill it
        bool unclear = false;
        bool dead = false;
    };

    unsigned random() { return static_cast<unsigned>(random_()); }
    unsigned pick(unsigned below) { return random() % below; }
    std::uint64_t tick();
    void spawn();
    void send(std::uint32_t tgid);
    bool complete(SimProcess& process, bool shared, std::uint32_t tid, unsigned signal);
    void flush(SimProcess& process, unsigned signal);
    void act(std::uint32_t tgid, std::uint32_t tid);
    void get_signal(std::uint32_t tgid, std::uint32_t tid);
    void sigwait(std::uint32_t tgid, std::uint32_t tid);
    void mask(std::uint32_t tgid, std::uint32_t tid);
    void exec(std::uint32_t tgid, std::uint32_t tid);
    bool dequeue(SimProcess& process, std::uint32_t tgid, std::uint32_t tid,
                 const std::set<unsigned>& wanted, unsigned& signal,
                 std::vector<std::uint64_t>& taken);
    void exit_thread(std::uint32_t tgid, std::uint32_t tid, std::int32_t code);
    void drain(Queue& queue, End end);

    std::mt19937 random_;
    Scenario scenario_;
    std::map<std::uint32_t, SimProcess> processes_;
    std::map<std::uint64_t, Truth> truth_;
    std::uint64_t now_ = 1000;
    std::uint32_t next_pid_ = 100;
    std::uint64_t next_value_ = 1;
    std::size_t orphans_ = 0;
    std::size_t unclear_ = 0;
};

}  // namespace ipcscope::correlate::test
