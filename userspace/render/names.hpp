// SPDX-License-Identifier: GPL-2.0-only
// How tasks are called: in tables and lines.
#pragma once

#include <string>

#include "decode/event.hpp"
#include "render/layout.hpp"

namespace ipcscope::source {
struct Host;
}

namespace ipcscope::render {

/// bash/812
Table::Cell cell(const decode::Task& task);

/// "true ×150", of so many processes; of one as above
Table::Cell cell(const decode::Task& task, std::size_t processes, const Style& style);

/// bash/812, kernel, timer
Table::Cell sender_cell(const decode::Task& task, decode::Origin origin);

/// "bash/812" in at most `width` columns.
std::string fit_task(const decode::Task& task, std::size_t width, const Style& style);

/// Strings of the host and of options come from a capture file, and may hold
/// any bytes.
std::string safe(const std::string& text);

/// " on box, Linux 6.12 x86_64, 2 CPUs, backend bpf", what is known of it: nothing where the
/// capture ends before its trace began.  Safe.
std::string machine_text(const source::Host& host);

/// "stream", "dgram", "seqpacket"; the object's own name where a damaged record says that it
/// is no socket.
std::string_view socket_kind(decode::ObjectType type);

/// As tables name its kind, and --object does: "pipe", "futex".
std::string_view kind_text(decode::ObjectType type);

/// "1234"; a semaphore: "3[0]", of a set and its number in it; a futex: "7:0x40", of a memory and where in
/// it, a private one: "0x7f5d1c0010".
std::string object_text(decode::ObjectType type, std::uint64_t object);

}  // namespace ipcscope::render
