// SPDX-License-Identifier: GPL-2.0-only
// Processes that make a known number of known events.
//
// A workload runs as the traced command.  It reports what it did by
// facts: lines "name number…" appended to the file $IPCSCOPE_FACTS.  It may not
// use pipes or signals for its own coordination, since they would be traced:
// shared memory and futexes are what is left.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ipcscope::workload {

using Arguments = std::vector<std::string>;

/// Runs a workload of the table in table.cpp; 126 where there is none such.
int run(const std::string& name, const Arguments& arguments);

void fact(std::string_view name, std::initializer_list<std::uint64_t> numbers);

/// Ends the workload with a message: what it relies on did not happen.
[[noreturn]] void give_up(const std::string& why);

/// `what` is true, or the workload ends (with errno's text).
void must(bool what, const char* text);
#define MUST(what) ::ipcscope::workload::must((what), #what)

/// A page shared with children that are forked later.
struct Shared {
    std::atomic<std::uint32_t> ready;    ///< actors that have set themselves up
    std::atomic<std::uint32_t> handled;  ///< signals that handlers have run for
    std::atomic<std::uint32_t> step;     ///< what the director has got to
    std::atomic<std::uint32_t> done;
    std::atomic<std::uint32_t> tid;      ///< of a thread that an actor started
    std::atomic<std::uint64_t> count[8];
};
Shared* share();

void wait_until(const std::atomic<std::uint32_t>& word, std::uint32_t at_least);
/// Sets `word` and wakes who sleeps in sleep_until().
void announce(std::atomic<std::uint32_t>& word, std::uint32_t value);
/// Sleeps (S) in one futex wait until `word` >= at_least.
void sleep_until(std::atomic<std::uint32_t>& word, std::uint32_t at_least);

void sleep_ms(unsigned milliseconds);
std::uint64_t now_ns();
pid_t gettid_();

/// Forks; the child runs `body` and exits with its result, named `comm`.
pid_t child(const char* comm, const std::function<int()>& body);

/// State letter of a thread from /proc, 0 where it is gone.
char state_of(pid_t tid);
/// Until the thread sleeps, stops, … in that state.
void wait_state(pid_t tid, char letter);

/// Reaps; returns the status as wait(2) gives it.
int reap(pid_t pid);

/// Of one CPU where the machine has no other.
void pin_to_cpu(int cpu);
void name_thread(const char* comm);

// signals.cpp, …: see table.cpp
int signal_fields(const Arguments&);
int signal_pairs(const Arguments&);
int pipe_fields(const Arguments&);
int splice_fields(const Arguments&);
int mqueue_fields(const Arguments&);
int sysv_fields(const Arguments&);
int futex_fields(const Arguments&);
int eventfd_fields(const Arguments&);
int handler_fields(const Arguments&);
int unix_fields(const Arguments&);
int frozen_writers(const Arguments&);
int gate(const Arguments&);
int filter_tree(const Arguments&);
int overload(const Arguments&);
int flood(const Arguments&);
int exit_together(const Arguments&);
int exit_with(const Arguments&);
int die_of(const Arguments&);
int rename_self(const Arguments&);
int linger(const Arguments&);
int signal_takings(const Arguments&);
int many_threads(const Arguments&);
int time_states(const Arguments&);
int asleep_before(const Arguments&);
int poll_chain(const Arguments&);
int steady_pipeline(const Arguments&);
int trickle(const Arguments&);
int handles(const Arguments&);
int send_signal(const Arguments&);
int renamed_sender(const Arguments&);
int stat_events(const Arguments&);
int stat_objects(const Arguments&);
int stat_storm(const Arguments&);

}  // namespace ipcscope::workload
