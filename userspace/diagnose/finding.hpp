// SPDX-License-Identifier: GPL-2.0-only
// A finding: an answer that the records prove, as a value that every output shows alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "aggregate/lineage.hpp"
#include "decode/event.hpp"
#include "diagnose/codes.hpp"

namespace ipcscope::diagnose {

/// A process (tid = 0) or a thread that a finding is about.
struct Subject {
    decode::Task task;
    std::string_view role;   ///< "stage", "target", "sender", "holder", …
    /// Who it was, where it sent or got a signal that ends or stops a process.
    std::optional<aggregate::Lineage> lineage = std::nullopt;
};

/// A pipe, FIFO, … that a finding is about.
struct Object {
    decode::ObjectType type{};
    std::uint64_t inode = 0;
    std::uint32_t dev = 0;
    friend bool operator==(const Object&, const Object&) = default;
};

/// A figure or word that a finding rests on.  The key ends in the unit of a number:
/// "blocked_ns", "asked_bytes"; without one it is a count.
struct Evidence {
    std::string_view key;
    std::variant<std::uint64_t, std::string> value;   ///< text is safe
};

struct Finding {
    Code code{};
    Severity severity{};
    std::vector<Subject> subjects{};      ///< whom the finding names first is first
    std::vector<Object> objects{};
    std::uint64_t at_ns = 0;              ///< when it began
    std::uint64_t duration_ns = 0;        ///< time that it cost, 0: not known
    /// Safe; one or two sentences, with kGlue for spaces at which no line ends.
    std::string text{};
    std::vector<Evidence> evidence{};
    std::vector<std::string> stack{};     ///< safe; innermost first
    std::string advice{};                 ///< what to do, may be empty
};
using Findings = std::vector<Finding>;

/// A finding with the code's own severity.
inline Finding finding(Code code, std::string text)
{
    Finding made;
    made.code = code;
    made.severity = info(code).severity;
    made.text = std::move(text);
    return made;
}

}  // namespace ipcscope::diagnose
