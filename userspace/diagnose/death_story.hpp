// SPDX-License-Identifier: GPL-2.0-only
// The story of one death, and the parts of it that files of their own describe.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// What is said of a death, once it is known which send it begins with.
struct Story {
    const aggregate::Report& report;
    const aggregate::Death& death;
    const aggregate::DeathSend& send;
    std::uint64_t end_ns = 0;       ///< of its life, or when it was last known to live
    std::uint64_t lasted_ns = 0;    ///< from the send
    const aggregate::DeathSend* ender = nullptr;   ///< of a finding that is of another send
    std::string did{};              ///< it outlived the signal: "ran its handler at 1.23 s; …"
    Finding made{};
};

/// Why it lived on.
struct Reason {
    Code code{};
    std::uint64_t ns = 0;
    std::string text;            ///< a clause: "was stopped by … for 2.00 s"
};

/// A SIGKILL, or another that ends a process whatever it does.
bool is_kill(const aggregate::DeathSend& send);

/// The send that ended it, by its exit code; nullptr: none, or not known.
const aggregate::DeathSend* send_that_ended(const aggregate::Death& death);

/// "at 1.20 s", of the trace.
std::string at(const aggregate::Report& report, std::uint64_t ns);
/// "SIGTERM from 5 (a), 3 times, to 6 (b)"
std::string head(const Story& story);

/// "5 (bash, now sleep)"
std::string sender_of(const aggregate::Report& report, const aggregate::DeathSend& send);

// death_zombie.cpp
/// Whether the process had ended as the story begins.
bool was_zombie(const aggregate::Death& death, const aggregate::DeathSend& send);
/// Until when it was a zombie, as far as the trace shows.
std::uint64_t zombie_until(const aggregate::Report& report, const aggregate::Death& death);
/// A signal to a zombie.  @return whether it is worth telling
bool tell_zombie(Story& story);
/// It ended at once, and stayed a zombie.  @return likewise
bool tell_reaping(Story& story);
/// " Its parent 5 (a) did not reap it for at least another 2.00 s."; "" where it did.
std::string reaping(const Story& story);

// death_reasons.cpp
/// What kept it from running, the longest first; sets the finding's stack.
std::vector<Reason> hindrances(Story& story);
/// It dumped core, or did so when it was last looked at; sets the finding's stack.
std::optional<Reason> core_dump(Story& story);
/// "ran its handler", of a signal that it took by itself
std::string_view taken_by(decode::How how);
/// What it did with the signal.
std::optional<Reason> disposition(const Story& story);
/// "it slept in f when it was looked at", of the thread that took the signal; "" where that
/// differs or is not known.
std::string slept_in(const Story& story);
/// "its child 7 (sleep) was alive", or how long before it the last one exited; "" where it
/// had none.
std::string children(const Story& story);

// shutdown.cpp
/// "7 (java), 8 (x), 9 (y) and 3 more"
std::string names(const std::vector<const aggregate::Death*>& members);
/// Whether the process is the init of a pid namespace, as far as its signals say.
bool is_namespace_init(const aggregate::Death& death);
/// Whether it is the story of such an init that was asked from outside to end, and has ended.
bool is_shutdown(const Story& story);
/// Makes of such a story, which has its text, the one of all that ended with it.
void tell_shutdown(Story& story);
/// Whether the kernel ended it as the init `tgid` of its pid namespace ended.
bool ended_with(const aggregate::Death& death, std::uint32_t tgid);

// unit_shutdown.cpp
/// Makes one story of those of a unit, or container, of which a process outside asked several
/// processes to end.  @return the deaths that it describes besides its own
std::set<const aggregate::Death*> tell_unit_shutdowns(std::list<Story>& stories);

}  // namespace ipcscope::diagnose
