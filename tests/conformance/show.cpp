// SPDX-License-Identifier: GPL-2.0-only
#include "show.hpp"

#include <cstdlib>

#include <sys/utsname.h>

#include <fmt/format.h>

#include "decode/decode.hpp"

namespace ipcscope::conformance {

std::string show(const decode::Task& task)
{
    return fmt::format("{}/{} \"{}\"", task.tgid, task.tid, task.comm.str());
}

namespace {

int kernel_major()
{
    utsname names{};
    uname(&names);
    return std::atoi(names.release);
}

}  // namespace

bool kill_gives_info()
{
    return kernel_major() < 7;
}

decode::Outcome outcome_of_killing_again()
{
    return kernel_major() < 6 ? decode::Outcome::already_pending : decode::Outcome::ignored;
}

std::string show(const decode::SignalGenerate& body)
{
    // What a kill() gives of itself is asserted once, by SignalFields.Kill.
    const bool by_kill = body.si_code == 0 && body.origin == decode::Origin::task;
    if (by_kill && !kill_gives_info() && (body.has_info || body.sender_pid != 0)) {
        decode::SignalGenerate without = body;
        without.has_info = false;
        without.sender_pid = 0;
        return show(without);
    }
    return fmt::format(
        "generate sig={} to={} code={} sender_pid={} value={:#x} {} state={} shared={:d} "
        "origin={} disposition={} blocked={:d} fatal={:d} unkillable={:d} has_info={:d}",
        body.signal, show(body.target), body.si_code, body.sender_pid, body.value,
        decode::outcome_name(body.outcome), decode::state_letter(body.target_state),
        body.shared, static_cast<int>(body.origin), static_cast<int>(body.disposition),
        body.blocked, body.fatal, body.unkillable, body.has_info);
}

std::string show(const decode::SignalSend& body)
{
    return fmt::format("send sig={} to={}/{} ret={}", body.signal, body.target_tgid,
                       body.target_tid, body.ret);
}

std::string show(const decode::SignalDeliver& body)
{
    return fmt::format("deliver sig={} code={} sender_pid={} sa_flags={:#x} disposition={} "
                       "has_info={:d}",
                       body.signal, body.si_code, body.sender_pid, body.sa_flags,
                       static_cast<int>(body.disposition), body.has_info);
}

std::string show(const decode::SignalDequeue& body)
{
    return fmt::format("dequeue sig={} code={} sender_pid={} value={:#x}", body.signal,
                       body.si_code, body.sender_pid, body.value);
}

std::string show(const decode::PipeOp& body)
{
    return fmt::format("{} inode={} dev={:#x} requested={} ret={} ring={} used={} readers={} "
                       "writers={} fifo={:d} nonblock={:d} packet={:d}",
                       body.write ? "write" : "read", body.inode, body.dev,
                       body.requested_bytes, body.ret, body.ring_slots, body.used_slots,
                       body.readers, body.writers, body.fifo, body.nonblock, body.packet);
}

std::vector<Seen<decode::SignalGenerate>> generated(const Capture& capture,
                                                    std::uint64_t sender,
                                                    std::uint64_t target, unsigned signal)
{
    return select<decode::SignalGenerate>(capture, [=](const auto& event, const auto& body) {
        return (sender == 0 || event.task.tgid == sender) && body.target.tgid == target &&
               (signal == 0 || body.signal == signal);
    });
}

std::vector<Seen<decode::SignalSend>> sent(const Capture& capture, std::uint64_t sender,
                                           std::uint64_t target, unsigned signal)
{
    return select<decode::SignalSend>(capture, [=](const auto& event, const auto& body) {
        return (sender == 0 || event.task.tgid == sender) && body.target_tgid == target &&
               (signal == 0 || body.signal == signal);
    });
}

std::vector<Seen<decode::SignalDeliver>> delivered(const Capture& capture,
                                                   std::uint64_t tgid, unsigned signal)
{
    return select<decode::SignalDeliver>(capture, [=](const auto& event, const auto& body) {
        return event.task.tgid == tgid && (signal == 0 || body.signal == signal);
    });
}

std::vector<Seen<decode::SignalDequeue>> dequeued(const Capture& capture,
                                                  std::uint64_t tgid, unsigned signal)
{
    return select<decode::SignalDequeue>(capture, [=](const auto& event, const auto& body) {
        return event.task.tgid == tgid && (signal == 0 || body.signal == signal);
    });
}

std::vector<Seen<decode::SignalGet>> got(const Capture& capture, std::uint64_t tgid,
                                         unsigned signal)
{
    return select<decode::SignalGet>(capture, [=](const auto& event, const auto& body) {
        return event.task.tgid == tgid && body.signal == signal;
    });
}

std::vector<Seen<decode::PipeOp>> pipe_calls(const Capture& capture, bool write,
                                             std::uint64_t inode)
{
    return select<decode::PipeOp>(capture, [=](const auto&, const auto& body) {
        return body.write == write && body.inode == inode;
    });
}

Json signal_row(const Json& report, std::uint64_t sender, std::uint64_t target,
                unsigned signal)
{
    for (const Json& row : report["signals"]) {
        if (row["sender"]["pid"] == sender && row["target"]["pid"] == target &&
            row["number"] == signal) {
            return row;
        }
    }
    return {};
}

Json pipe_row(const Json& report, std::uint64_t inode)
{
    for (const Json& row : report["pipes"]) {
        if (row["inode"] == inode) {
            return row;
        }
    }
    return {};
}

}  // namespace ipcscope::conformance
