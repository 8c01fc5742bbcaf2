// SPDX-License-Identifier: GPL-2.0-only
// What the contract's ids are called, in all output.  Each returns "unknown" for an
// id outside its list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decode/event.hpp"
#include "decode/fields.hpp"

namespace ipcscope::decode {

/// "signal_generate", "thread_exit", "call_pipe", … for a record's kind
std::string_view kind_name(unsigned kind);
/// "signals", "pipes", … of the family that records of `kind` are of; empty for those
/// that are of none.
std::string_view family_name(unsigned kind);
/// "ring_full", … for IPCSCOPE_LOST_…
std::string_view loss_name(unsigned cause);

/// "SIGUSR1", "SIGRTMIN+3"; "SIG200" for a number outside 1..64.
std::string signal_name(unsigned signal);

/// "/dev/pts/3", "/dev/ttyS0", by the kernel's numbers of a terminal's dev_t; "204:64" of
/// another driver's.
std::string terminal_name(std::uint32_t dev);
/// Number for "USR1", "SIGUSR1", "usr1", "10", "RTMIN+3", "SIGRTMAX-1"; 0 if unknown.
unsigned signal_number(std::string_view name);

/// "running", "runnable", "uninterruptible", …
std::string_view state_name(State state);
/// R running, Q runnable, S, D, K killable, I, T, t, Z, X as ps; P polling, F frozen,
/// ? unknown, other
char state_letter(State state);
/// "task", "kernel", "timer", "parent_exit"
std::string_view origin_name(Origin origin);
/// What stands for its sender in a table: "kernel"; "": its sender's name.
std::string_view origin_label(Origin origin);
/// "delivered", "ignored", "already_pending", "overflow", "info_lost"
std::string_view outcome_name(Outcome outcome);
/// "default", "ignore", "handler", "unknown"
std::string_view disposition_name(Disposition disposition);
/// "handler", "default", "ignored", "sigwait", "signalfd", "debugger", "group_exit", …
std::string_view how_name(How how);
/// "none", "exit", "exec", "core_dump"
std::string_view group_name(GroupCause cause);
/// "seen", "sweep", "fork", "exec", "rename"
std::string_view reason_name(ThreadReason reason);
/// "pipe", "fifo", "unix_stream", …
std::string_view object_name(ObjectType type);
/// "read", "write", "splice_in", …
std::string_view op_name(Op op);
/// What bits of IPCSCOPE_MISSING_… stand for.
std::vector<std::string_view> missing_names(unsigned bits);

/// The name of a field's value, by what the field means: of an id or a kind; empty for
/// a meaning that is no list of ids (a number, a time, a signal, flags).
std::string_view id_name(Meaning meaning, std::uint64_t id);

}  // namespace ipcscope::decode
