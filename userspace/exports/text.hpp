// SPDX-License-Identifier: GPL-2.0-only
// Names and sentences as exports need them, made once.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/comm.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::exports {

/// The text of names, each made once.
class Names {
public:
    const std::string& of(const Comm& comm);

private:
    struct Hash {
        std::size_t operator()(const Comm& comm) const
        {
            return std::hash<std::string_view>{}(
                {reinterpret_cast<const char*>(&comm), sizeof comm});
        }
    };
    std::unordered_map<Comm, std::string, Hash> known_;
};

/// A sentence of a finding in one line.
std::string sentence(std::string text);

/// Of a finding, as JSON: its evidence, an object; its stack, an array, "" where it has none.
std::string evidence_json(const diagnose::Finding& finding);
std::string stack_json(const diagnose::Finding& finding);

}  // namespace ipcscope::exports
