// SPDX-License-Identifier: GPL-2.0-only
// The kinds of findings about channels.  Each appends; a wait that one explains is in no
// other.
#pragma once

#include "diagnose/blame.hpp"
#include "diagnose/finding.hpp"
#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

void find_deadlocks(WaitGraph& graph, Findings& findings);
void find_partners(WaitGraph& graph, Findings& findings);     ///< stopped, frozen, traced
void find_held_ends(WaitGraph& graph, Findings& findings);
void find_stuck(WaitGraph& graph, Findings& findings);
void find_mutual_polls(const WaitGraph& graph, Findings& findings);
void find_slow_stages(const WaitGraph& graph, const Blame& blame, Findings& findings);
void find_convoys(const WaitGraph& graph, const Blame& blame, Findings& findings);
void find_gone_readers(const WaitGraph& graph, Findings& findings);
void find_refusals(const WaitGraph& graph, Findings& findings);
void find_short_calls(const WaitGraph& graph, Findings& findings);
void find_rings(const WaitGraph& graph, Findings& findings);
void find_starved(const WaitGraph& graph, Findings& findings);

// What they have in common.
Object object_of(const aggregate::ChannelRow& channel);
/// "101 (child)", "thread 7 of 5 (pool)"
std::string waiter(const WaitGraph& graph, const aggregate::LongWait& wait);
/// The reader or writer itself is the only one that could end its wait.
bool holds_itself(const aggregate::LongWait& wait, const HeldBy& held);
/// "100 (parent)", "it itself"
std::string holders_of(const aggregate::LongWait& wait, const HeldBy& held);
/// The signal that ended the process as it ended the wait; 0: none did.
unsigned killed_by(const WaitGraph& graph, const aggregate::LongWait& wait);
/// "1.20 s", "3.00 s, by 3 calls in turn,"
std::string lasted(const aggregate::LongWait& wait);
/// "its timeout broke the call off": of a wait that was broken off.
std::string_view how_broken_off(const aggregate::LongWait& wait);
/// "1.20 s", since the beginning of the trace.
std::string into_trace(const WaitGraph& graph, std::uint64_t time_ns);

}  // namespace ipcscope::diagnose
