// SPDX-License-Identifier: GPL-2.0-only
#include "cli/fail_on.hpp"

#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/safe_text.hpp"
#include "cli/usage.hpp"
#include "diagnose/codes.hpp"

namespace ipcscope::cli {
namespace {

/// Codes that have a word in common with this one: "slow-exit" for "slow-kill".
std::vector<std::string_view> related_codes(const std::string& code)
{
    std::vector<std::string_view> related;
    for (const diagnose::CodeInfo& info : diagnose::kCodes) {
        std::istringstream words(code);
        for (std::string word; std::getline(words, word, '-');) {
            if (("-" + std::string(info.name) + "-").find("-" + word + "-") != std::string::npos) {
                related.push_back(info.name);
                break;
            }
        }
    }
    return related;
}

}  // namespace

Result<diagnose::FailOn> parse_fail_on(const std::string& text)
{
    auto parsed = diagnose::FailOn::parse(text);
    std::istringstream words(text);
    for (std::string word; !parsed && std::getline(words, word, ',');) {
        if (diagnose::FailOn::parse(word)) {
            continue;
        }
        std::vector<std::string> codes{"error", "warning"};
        for (const diagnose::CodeInfo& info : diagnose::kCodes) {
            codes.emplace_back(info.name);
        }
        const std::string near = meant(word, codes);
        const auto related = related_codes(word);
        if (!near.empty() || !related.empty()) {
            return fail(Exit::usage,
                        fmt::format("--fail-on {}: {}", SafeText::escape(word).str(),
                                    !near.empty() ? near
                                                  : fmt::format("no such finding; near it: {}",
                                                                fmt::join(related, ", "))));
        }
        break;
    }
    return parsed;
}

void declare_fail_on(CLI::App& app, std::string& text)
{
    app.add_option("--fail-on", text,
                   "Exit 1 where there is a finding: error, warning (or worse), or CODE[,CODE]");
}

}  // namespace ipcscope::cli
