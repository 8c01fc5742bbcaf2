// SPDX-License-Identifier: GPL-2.0-only
// What `ipcscope inspect` found → text or JSON, schema "ipcscope.inspect/1"
// (docs/inspect.schema.json).
#pragma once

#include <string>
#include <vector>

#include "inspect/ipc_objects.hpp"
#include "inspect/process.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

/// "pipe", "unix_stream", …: a kind in JSON.
std::string_view inspected_name(inspect::Kind kind);
/// "SIGTERM", … of a mask whose bit 0 is signal 1.
std::vector<std::string> signal_names(std::uint64_t mask);

std::string inspect_text(const inspect::Process& process, const TextOptions& options);
std::string inspect_json(const inspect::Process& process);

std::string ipc_text(const std::vector<inspect::IpcNamespace>& spaces,
                     const TextOptions& options);
std::string ipc_json(const std::vector<inspect::IpcNamespace>& spaces);

}  // namespace ipcscope::render
