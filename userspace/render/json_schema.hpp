// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

namespace ipcscope::render {

/// A JSON Schema (draft 2020-12) of the lines that json_line() makes, one of "$defs" for each
/// kind.  It is made from the table of fields, as they are.
std::string json_line_schema();

}  // namespace ipcscope::render
