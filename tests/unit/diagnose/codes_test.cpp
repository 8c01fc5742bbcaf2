// SPDX-License-Identifier: GPL-2.0-only
// The table of codes against docs/findings.md, and --fail-on.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "diagnose/fail_on.hpp"

namespace ipcscope::diagnose {
namespace {

struct Section {
    std::string severity;
    std::string text;
};

/// The sections of docs/findings.md by their code.
std::map<std::string, Section> documented()
{
    const auto page = std::filesystem::path(__FILE__).parent_path() / "../../../docs/findings.md";
    std::ifstream file(page);
    EXPECT_TRUE(file) << page;
    const std::regex heading("### `([a-z-]+)` \\(([a-z]+).*\\)");
    std::map<std::string, Section> sections;
    Section* section = nullptr;
    for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (std::regex_match(line, match, heading)) {
            section = &sections[match[1]];
            section->severity = match[2];
        } else if (line.starts_with("#")) {
            section = nullptr;
        } else if (section != nullptr) {
            section->text += line + '\n';
        }
    }
    return sections;
}

TEST(Codes, AreAllDocumented)
{
    auto sections = documented();
    for (const CodeInfo& info : kCodes) {
        const auto found = sections.find(std::string(info.name));
        ASSERT_NE(found, sections.end()) << info.name << " is not in docs/findings.md";
        EXPECT_EQ(found->second.severity, name(info.severity)) << info.name;
        EXPECT_NE(found->second.text.find("How it is known"), std::string::npos) << info.name;
        sections.erase(found);
    }
    for (const auto& [code, section] : sections) {
        ADD_FAILURE() << "docs/findings.md explains " << code << ", which is no code";
    }
}

TEST(Codes, AreWordsOfTheirOwn)
{
    std::set<std::string_view> names;
    for (const CodeInfo& info : kCodes) {
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
        EXPECT_EQ(find_code(info.name), info.code);
        EXPECT_FALSE(info.meaning.empty());
    }
    EXPECT_FALSE(find_code("error"));
    EXPECT_FALSE(find_code(""));
}

Findings one(Code code, Severity severity)
{
    Findings findings{finding(code, "")};
    findings.front().severity = severity;
    return findings;
}

TEST(FailOn, SeverityOrWorse)
{
    const FailOn error = FailOn::parse("error").value();
    const FailOn warning = FailOn::parse("warning").value();
    for (const Severity severity : {Severity::error, Severity::warning, Severity::note}) {
        EXPECT_EQ(error.meets(one(Code::slow_stage, severity)), severity == Severity::error);
        EXPECT_EQ(warning.meets(one(Code::slow_stage, severity)), severity != Severity::note);
    }
    EXPECT_FALSE(warning.meets({}));
    EXPECT_EQ(warning.status(one(Code::slow_stage, Severity::warning), 0), 1);
    EXPECT_EQ(error.status(one(Code::slow_stage, Severity::warning), 0), 0);
}

TEST(FailOn, Codes)
{
    const FailOn codes = FailOn::parse("slow-stage,signal-merged").value();
    EXPECT_TRUE(codes.meets(one(Code::slow_stage, Severity::note)));
    EXPECT_TRUE(codes.meets(one(Code::signal_merged, Severity::warning)));
    EXPECT_FALSE(codes.meets(one(Code::signal_late, Severity::error)));
    EXPECT_FALSE(FailOn::parse("").value().meets(one(Code::kill_stuck, Severity::error)));
}

TEST(FailOn, UnknownCodeIsOneLine)
{
    for (const char* text : {"slow-stages", "slow-stage,", "note", "slow-stage,,error", "\x1b[2J"}) {
        const auto parsed = FailOn::parse(text);
        if (std::string_view(text) == "slow-stage,") {
            EXPECT_TRUE(parsed);   // a comma at the end separates nothing
            continue;
        }
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Exit::usage);
        EXPECT_EQ(parsed.error().message.find_first_of("\n\x1b"), std::string::npos);
    }
}

}  // namespace
}  // namespace ipcscope::diagnose
