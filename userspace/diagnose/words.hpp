// SPDX-License-Identifier: GPL-2.0-only
// How tasks, objects and times are called in sentences.  What they return may hold
// kGlue.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// "812 (bash)"
std::string who(const decode::Task& task);
/// "SIGSTOP from 5 (bash)", "SIGSTOP from itself": what stopped `process`, or let it go on
std::string by(const aggregate::StopRow::By& signal, const decode::Task& process);
/// "flock()"; "system call 73", of a trace of another architecture than this program's
std::string syscall(const source::Host& host, unsigned number);
/// "1.80 s in flock(), 183 ms in clock_nanosleep()": the longest; "" where none is a tenth of `of_ns`
std::string sleeps(const aggregate::Report& report, const aggregate::ProcessRow& process,
                   std::uint64_t of_ns);
/// "thread 14 (worker)"
std::string thread_who(const decode::Task& task);

/// The source of a signal: "812 (bash)", "the kernel (in bash/812)", "a timer", "the kernel
/// as its parent 812 (bash) exited (PDEATHSIG)", "the terminal /dev/pts/3".  `terminal`: dev_t,
/// 0 where it is not known.
std::string sender(const decode::Task& task, decode::Origin origin, std::uint32_t terminal = 0);
/// The same, and "itself": of a signal to `target`.
std::string sender_to(const decode::Task& target, const decode::Task& task, decode::Origin origin,
                      std::uint32_t terminal = 0);

/// "root", "uid 1000" where it has no name here; "" where it is not known.
std::string user(const aggregate::Lineage& lineage);

/// "kill(912) ← bash(905) ← systemd(1)": whose child it was; a "?" where that is not known.
std::string ancestry(const Subject& subject);

/// The sender, target, … of a signal that ends or stops a process: its ancestry, its user, its
/// command line; "" where it is none.
std::string identity(const Subject& subject);

/// Who a process was at that time; nullopt: not known.
std::optional<aggregate::Lineage> lineage_at(const aggregate::Report& report,
                                             std::uint32_t tgid, std::uint64_t at_ns);

/// "5 (a), 6 (b), 7 (c) and 2 more"
std::string all_of(const std::vector<const aggregate::ChannelEnd*>& ends);
std::string all_of(const std::vector<aggregate::ChannelEnd>& ends);

/// "yes(101) → head(102) → wc(103)"
std::string chain(const aggregate::Pipeline& pipeline);

/// The bare name where no other stage has the same: "head", "head(102)".
std::string short_name(const aggregate::Pipeline& pipeline, const aggregate::StageRow& stage);

/// "4.02 s"
std::string time(std::uint64_t ns);

/// "2 % running, 97 % in poll for its input": the parts of at least 1 %, running first.
std::string where_time_went(const aggregate::Time& time);

/// Where a task sleeps: the innermost entry that is not the scheduler's own,
/// which every stack has in common.
std::string_view sleeps_in(std::span<const SafeText> stack);

/// The bare name of that function: "request_wait_answer".
std::string function_name(std::span<const SafeText> stack);

/// Signals of a row, whatever became of them.
std::uint64_t sent(const aggregate::SignalRow& row);

}  // namespace ipcscope::diagnose
