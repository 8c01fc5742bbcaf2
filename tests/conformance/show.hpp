// SPDX-License-Identifier: GPL-2.0-only
// Records as one line each, every field by name: tests compare these, so that a
// failure shows all fields of both.  Times are left out: they are compared by
// order.
#pragma once

#include <functional>
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
decode::Outcome outcome_of_killing_again();

std::string show(const decode::SignalGenerate& body);
std::string show(const decode::SignalSend& body);
std::string show(const decode::SignalDeliver& body);
std::string show(const decode::SignalDequeue& body);
std::string show(const decode::PipeOp& body);
std::string show(const decode::Task& task);

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

/// Generations by `sender` (0: any) to `target` of `signal` (0: any).
std::vector<Seen<decode::SignalGenerate>> generated(const Capture& capture,
                                                    std::uint64_t sender,
                                                    std::uint64_t target, unsigned signal);
std::vector<Seen<decode::SignalSend>> sent(const Capture& capture, std::uint64_t sender,
                                           std::uint64_t target, unsigned signal);
std::vector<Seen<decode::SignalDeliver>> delivered(const Capture& capture,
                                                   std::uint64_t tgid, unsigned signal);
std::vector<Seen<decode::SignalDequeue>> dequeued(const Capture& capture,
                                                  std::uint64_t tgid, unsigned signal);
std::vector<Seen<decode::SignalGet>> got(const Capture& capture, std::uint64_t tgid,
                                         unsigned signal);
std::vector<Seen<decode::PipeOp>> pipe_calls(const Capture& capture, bool write,
                                             std::uint64_t inode);

/// The report's row of that sender, target and signal; null where there is none.
Json signal_row(const Json& report, std::uint64_t sender, std::uint64_t target,
                unsigned signal);
Json pipe_row(const Json& report, std::uint64_t inode);

}  // namespace ipcscope::conformance
