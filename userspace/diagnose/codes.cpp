// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/codes.hpp"

namespace ipcscope::diagnose {

std::string_view name(Severity severity)
{
    switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: break;
    }
    return "note";
}

std::optional<Code> find_code(std::string_view name)
{
    for (const CodeInfo& info : kCodes) {
        if (info.name == name) {
            return info.code;
        }
    }
    return std::nullopt;
}

}  // namespace ipcscope::diagnose
