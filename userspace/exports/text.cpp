// SPDX-License-Identifier: GPL-2.0-only
#include "exports/text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/units.hpp"

namespace ipcscope::exports {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const std::string& Names::of(const Comm& comm)
{
    static_assert(sizeof(Comm) == Comm::kMost_bytes);
    const auto [at, is_new] = known_.try_emplace(comm);
    if (is_new) {
        at->second = comm.text().str();
    }
    return at->second;
}

std::string sentence(std::string text)
{
    std::ranges::replace(text, kGlue, ' ');
    std::ranges::replace(text, '\n', ' ');
    return text;
}

std::string evidence_json(const diagnose::Finding& finding)
{
    Json out = Json::object();
    for (const diagnose::Evidence& one : finding.evidence) {
        const std::string key(one.key);
        if (const auto* number = std::get_if<std::uint64_t>(&one.value)) {
            out[key] = *number;
        } else {
            out[key] = sentence(std::get<std::string>(one.value));
        }
    }
    return dump(out);
}

std::string stack_json(const diagnose::Finding& finding)
{
    return finding.stack.empty() ? std::string() : dump(Json(finding.stack));
}

}  // namespace ipcscope::exports
