// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/fail_on.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "base/safe_text.hpp"

namespace ipcscope::diagnose {

Result<FailOn> FailOn::parse(const std::string& text)
{
    FailOn parsed;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        if (word == name(Severity::error) || word == name(Severity::warning)) {
            const Severity severity = word == name(Severity::error) ? Severity::error
                                                                              : Severity::warning;
            parsed.worst_ = parsed.any_ ? std::max(parsed.worst_, severity) : severity;
            parsed.any_ = true;
            continue;
        }
        const auto code = find_code(word);
        if (!code) {
            return fail(Exit::usage,
                        fmt::format("--fail-on {}: {}give error, warning, or codes "
                                    "from docs/findings.md such as slow-stage,deadlock",
                                    SafeText::escape(word).str(),
                                    word == name(Severity::note) ? "" : "no such finding; "));
        }
        parsed.codes_.push_back(*code);
    }
    return parsed;
}

bool FailOn::meets(const Findings& findings) const
{
    return std::ranges::any_of(findings, [&](const Finding& finding) {
        return (any_ && finding.severity <= worst_) ||
               std::ranges::find(codes_, finding.code) != codes_.end();
    });
}

int FailOn::status(const Findings& findings, int status) const
{
    return meets(findings) ? static_cast<int>(Exit::threshold) : status;
}

}  // namespace ipcscope::diagnose
