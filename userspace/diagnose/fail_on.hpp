// SPDX-License-Identifier: GPL-2.0-only
// --fail-on: findings that make the exit status 1.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// A severity, and what is worse; or codes.
class FailOn {
public:
    /// "error", "warning", or codes separated by commas; Exit::usage for any other.
    static Result<FailOn> parse(const std::string& text);

    bool meets(const Findings& findings) const;
    /// 1 where a finding meets it, else `status`.
    int status(const Findings& findings, int status) const;

private:
    bool any_ = false;               ///< of `worst` or worse
    Severity worst_{};
    std::vector<Code> codes_;
};

}  // namespace ipcscope::diagnose
