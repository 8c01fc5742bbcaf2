// SPDX-License-Identifier: GPL-2.0-only
#include "show.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <sys/utsname.h>

#include <fmt/format.h>
#include <ipcscope/policy.h>

#include "decode/decode.hpp"
#include "decode/fields.hpp"

namespace ipcscope::conformance {
namespace {

using decode::Field;
using decode::Meaning;

int kernel_major()
{
    utsname names{};
    uname(&names);
    return std::atoi(names.release);
}

/// What two runs of one workload may not have in common.
bool differs_by_chance(Meaning meaning)
{
    return meaning == Meaning::TIME || meaning == Meaning::SPAN ||
           meaning == Meaning::WAKER || meaning == Meaning::PAD;
}

std::string shown(const Field& field, std::span<const std::byte> record)
{
    if (field.meaning == Meaning::COMM || field.meaning == Meaning::WORDS) {
        const auto* bytes = reinterpret_cast<const char*>(record.data() + field.offset);
        return fmt::format(" {}=\"{}\"", field.name,
                           Comm(std::string_view(bytes, field.count)).text().str());
    }
    std::string text;
    for (std::size_t element = 0; element < field.count; element++) {
        const std::int64_t value = decode::value_of(field, record, element);
        const auto name = decode::id_name(field.meaning, static_cast<std::uint64_t>(value));
        if (!name.empty()) {
            text += fmt::format("{}{}", element ? "," : "", name);
        } else if (field.is_signed) {
            text += fmt::format("{}{}", element ? "," : "", value);
        } else if (field.meaning == Meaning::HEX || field.meaning == Meaning::DEVICE) {
            text += fmt::format("{}{:#x}", element ? "," : "", static_cast<std::uint64_t>(value));
        } else {
            text += fmt::format("{}{}", element ? "," : "", static_cast<std::uint64_t>(value));
        }
    }
    return fmt::format(" {}={}", field.name, text);
}

std::string shown(std::span<const Field> fields, std::span<const std::byte> record)
{
    std::string text;
    for (const Field& field : fields) {
        if (!differs_by_chance(field.meaning)) {
            text += shown(field, record);
        }
    }
    return text;
}

}  // namespace

bool kill_gives_info()
{
    return kernel_major() < 7;
}

unsigned result_of_killing_again()
{
    return kernel_major() < 6 ? IPCSCOPE_RESULT_ALREADY_PENDING : IPCSCOPE_RESULT_IGNORED;
}

std::string show_record(std::span<const std::byte> record)
{
    ipcscope_header header{};
    std::memcpy(&header, record.data(), sizeof header);
    std::string text(decode::kind_name(header.kind));
    text += shown(decode::fields_of(header.kind), record);
    if (header.kind >= IPCSCOPE_CALL_FIRST && header.kind <= IPCSCOPE_CALL_LAST) {
        ipcscope_call call{};
        std::memcpy(&call, record.data(), sizeof call);
        text += shown(decode::tail_fields(call.type), record);
    }
    return text;
}

std::string show(const decode::SignalGenerate& body)
{
    decode::SignalGenerate without = body;
    if (body.si_code == 0 && body.origin == IPCSCOPE_ORIGIN_TASK && !kill_gives_info()) {
        without.has_info = 0;
        without.sender_pid = 0;
        if (body.sig == IPCSCOPE_SIGKILL) {   // its callers are recorded: it may be cgroup.kill
            without.stack_depth = 0;
            std::ranges::fill(without.stack, 0);
        }
    }
    return show_record(std::as_bytes(std::span(&without, 1)));
}

std::string show(const decode::Task& task)
{
    return fmt::format("{}/{} \"{}\"", task.tgid, task.tid, task.comm.text().str());
}

Generations generated(const Capture& capture, std::uint64_t sender, std::uint64_t target,
                      unsigned signal)
{
    return select<decode::SignalGenerate>(capture, [=](const auto& event, const auto& body) {
        return (sender == 0 || event.task.tgid == sender) && body.target_tgid == target &&
               (signal == 0 || body.sig == signal);
    });
}

Takings taken(const Capture& capture, std::uint64_t tgid, unsigned signal)
{
    return select<decode::SignalTake>(capture, [=](const auto& event, const auto& body) {
        return event.task.tgid == tgid && (signal == 0 || body.sig == signal);
    });
}

Takings taken(const Capture& capture, std::uint64_t tgid, unsigned signal, unsigned how)
{
    return select<decode::SignalTake>(capture, [=](const auto& event, const auto& body) {
        return event.task.tgid == tgid && (signal == 0 || body.sig == signal) &&
               body.how == how;
    });
}

Calls calls_on(const Capture& capture, unsigned op, std::uint64_t object)
{
    return select<decode::Call>(capture, [=](const auto&, const auto& body) {
        return body.op == op && body.object == object;
    });
}

ThreadTimes exits_of(const Capture& capture, std::uint64_t tgid)
{
    return select<decode::ThreadTime>(capture, [=](const auto& event, const auto&) {
        return event.kind == IPCSCOPE_THREAD_EXIT && event.task.tgid == tgid;
    });
}

std::vector<Seen<decode::ThreadFree>> freed_of(const Capture& capture, std::uint64_t tgid)
{
    return select<decode::ThreadFree>(capture, [=](const auto& event, const auto&) {
        return event.task.tgid == tgid;
    });
}

Json signal_row(const Json& report, std::uint64_t sender, std::uint64_t target,
                unsigned signal)
{
    for (const Json& row : report["signals"]) {
        // The kernel's and a timer's have no sender.
        const Json& from = row["sender"];
        const std::uint64_t pid = from.is_null() ? 0 : from["pid"].get<std::uint64_t>();
        if (pid == sender && row["target"]["pid"] == target && row["number"] == signal) {
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
