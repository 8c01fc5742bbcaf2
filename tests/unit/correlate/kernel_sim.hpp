// SPDX-License-Identifier: GPL-2.0-only
// A small model of the kernel's signal queues that acts at random, records what
// the hooks would, and knows how every signal really ended.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
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
    std::uint32_t sender = 0;
    bool has_value = false;
    bool queued = true;
};

class KernelSim {
public:
    explicit KernelSim(std::uint32_t seed);

    void step();
    /// The trace's: what debuggers still hold.
    void end();
    const std::vector<decode::Event>& events() const { return scenario_.events; }
    const std::map<std::uint64_t, Truth>& truth() const { return truth_; }
    std::size_t group_exits() const { return group_exits_; }      ///< without a sender
    std::size_t replacements() const { return replacements_; }    ///< that a debugger made

private:
    struct Info {
        std::uint64_t value = 0;
        std::int32_t si_code = 0;
        std::uint32_t sender_pid = 0;
    };
    struct Entry {
        std::uint64_t generated_ns;
        Info info;
    };
    struct Queue {
        std::map<unsigned, std::deque<Entry>> entries;
        std::map<unsigned, std::vector<std::uint64_t>> bits;   ///< by signal, times
        bool holds(unsigned signal) const { return entries.count(signal) || bits.count(signal); }
    };
    /// What was dequeued.
    struct Taking {
        unsigned signal = 0;
        std::uint64_t dequeued_ns = 0;
        Info info;
        std::vector<std::uint64_t> taken;   ///< generations
        bool traced = false;
    };
    struct SimThread {
        Queue queue;
        std::set<unsigned> blocked;
        std::optional<Taking> held;          ///< by a debugger
    };
    struct SimProcess {
        std::map<std::uint32_t, SimThread> threads;   ///< those that live
        std::vector<std::uint32_t> unfreed;           ///< threads that exited
        Queue shared;
        std::set<unsigned> handled;
        bool debugged = false;
        bool group_exit = false;
        bool leader_gone = false;
        unsigned signal = 0;                          ///< that ends it, or 0
        std::optional<std::uint64_t> fatal;           ///< its send, until it is answered
        bool dead = false;
    };
    struct Send {
        Task sender;
        std::uint32_t tid;       ///< looked at
        unsigned signal;
        bool shared;
        Info info;
        bool value = false;
        bool requeued = false;
    };

    unsigned random() { return static_cast<unsigned>(random_()); }
    unsigned pick(unsigned below) { return random() % below; }
    std::uint64_t tick();
    void spawn();
    void send(std::uint32_t tgid);
    void generate(std::uint32_t tgid, const Send& send);
    bool complete(SimProcess& process, bool shared, std::uint32_t tid, unsigned signal);
    void flush(SimProcess& process, unsigned signal);
    std::size_t queued(const SimProcess& process) const;
    void act(std::uint32_t tgid, std::uint32_t tid);
    void get_signal(std::uint32_t tgid, std::uint32_t tid);
    void find_group_exit(std::uint32_t tgid, std::uint32_t tid);
    void resume_held(std::uint32_t tgid, std::uint32_t tid);
    void deliver(std::uint32_t tgid, std::uint32_t tid, const Taking& taking);
    void finish(std::uint32_t tgid, std::uint32_t tid, const Taking& taking, How how, End end,
                std::uint64_t t);
    void sigwait(std::uint32_t tgid, std::uint32_t tid);
    void ignore(std::uint32_t tgid, std::uint32_t tid);
    void mask(std::uint32_t tgid, std::uint32_t tid);
    void exec(std::uint32_t tgid, std::uint32_t tid);
    std::optional<Taking> dequeue(SimProcess& process, std::uint32_t tid,
                                  const std::set<unsigned>& wanted);
    void exit_thread(std::uint32_t tgid, std::uint32_t tid, std::int32_t code,
                     std::uint32_t exits_as = 0);
    void clear(Queue& queue, unsigned signal, End end);
    void drain(Queue& queue, End end);

    std::mt19937 random_;
    Scenario scenario_;
    std::map<std::uint32_t, SimProcess> processes_;
    std::map<std::uint64_t, Truth> truth_;
    std::uint64_t now_ = 1000;
    std::uint32_t next_pid_ = 100;
    std::uint64_t next_value_ = 1;
    std::size_t group_exits_ = 0;
    std::size_t replacements_ = 0;
};

}  // namespace ipcscope::correlate::test
