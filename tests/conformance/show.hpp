// SPDX-License-Identifier: GPL-2.0-only
// Records as one line each, every field by name, from the contract's table of
// fields: tests compare these, so that a failure shows all fields of both.  Times
// and durations are left out: they are compared by order.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "decode/event.hpp"
#include "trace.hpp"

namespace ipcscope::conformance {

/// Whether kill(2) hands the kernel's send a siginfo.  It did until 6.12; 7.3
/// hands it SEND_SIG_NOINFO, of which the kernel makes the same for the receiver.
bool kill_gives_info();

/// What a process that is dying answers to one more SIGKILL: 5.10 finds the
/// first one still pending, 6.1 and later ignore it before they look.
unsigned result_of_killing_again();

/// "signal_take si_code=0 sender_pid=12 …": all fields but times, of a record whose
/// header has its kind.
std::string show_record(std::span<const std::byte> record);

template <typename Body>
std::string show(const Body& body)
{
    return show_record(std::as_bytes(std::span(&body, 1)));
}
/// What kill(2) gives of itself differs by kernel: asserted once, by
/// SignalFields.Kill, and left out elsewhere.
std::string show(const decode::SignalGenerate& body);
std::string show(const decode::Task& task);
/// As it is printed.
inline std::string name_of(const decode::Task& task) { return task.comm.text().str(); }

/// A body of `kind` with nothing in it: an expected one is filled in by field.
template <typename Body>
Body blank(unsigned kind)
{
    Body body{};
    body.header.kind = static_cast<__u16>(kind);
    return body;
}

/// An event of one kind, with its body at hand.
template <typename Body>
struct Seen {
    const decode::Event* event;
    const Body* body;
    const Body* operator->() const { return body; }
};

/// All events whose body is a Body and that `wanted` accepts, in order.
template <typename Body>
std::vector<Seen<Body>> select(const Capture& capture,
                               const std::function<bool(const decode::Event&, const Body&)>& wanted)
{
    std::vector<Seen<Body>> found;
    for (const decode::Event& event : capture.events) {
        const Body* body = std::get_if<Body>(&event.body);
        if (body && wanted(event, *body)) {
            found.push_back({&event, body});
        }
    }
    return found;
}

using Generations = std::vector<Seen<decode::SignalGenerate>>;
using Takings = std::vector<Seen<decode::SignalTake>>;
using Calls = std::vector<Seen<decode::Call>>;
using ThreadTimes = std::vector<Seen<decode::ThreadTime>>;

/// Generations by the process `sender` (0: any) to the process `target` of `signal`
/// (0: any).
Generations generated(const Capture& capture, std::uint64_t sender, std::uint64_t target,
                      unsigned signal);
/// Takings by the process `tgid` of `signal` (0: any), in any way.
Takings taken(const Capture& capture, std::uint64_t tgid, unsigned signal);
/// The same, of which `how` is one of IPCSCOPE_TAKE_….
Takings taken(const Capture& capture, std::uint64_t tgid, unsigned signal, unsigned how);
/// Calls of `op` (IPCSCOPE_OP_…) on `object`.
Calls calls_on(const Capture& capture, unsigned op, std::uint64_t object);
/// THREAD_EXIT records of the process `tgid`.
ThreadTimes exits_of(const Capture& capture, std::uint64_t tgid);
/// THREAD_FREE records of the process `tgid`.
std::vector<Seen<decode::ThreadFree>> freed_of(const Capture& capture, std::uint64_t tgid);

/// The report's row of that sender, target and signal; null where there is none.
Json signal_row(const Json& report, std::uint64_t sender, std::uint64_t target,
                unsigned signal);
Json pipe_row(const Json& report, std::uint64_t inode);

}  // namespace ipcscope::conformance
