// SPDX-License-Identifier: GPL-2.0-only
// Checks JSON against docs/report.schema.json: the keywords that it uses.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace ipcscope::schema {

/// The schemas of reports, of benchmark runs, of what changed between two of these or of those,
/// of stat and inspect.
const nlohmann::json& report();
const nlohmann::json& bench();
const nlohmann::json& bench_diff();
const nlohmann::json& diff();
const nlohmann::json& stat();
const nlohmann::json& inspect();

/// `schema` is a whole one, or a part that refers to no other.
/// Empty where `value` is valid, else what is wrong and where.  A keyword that
/// the checker does not know is an error, so that none is silently passed over.
std::string check(const nlohmann::json& value, const nlohmann::json& schema,
                  const std::string& where = "$");

}  // namespace ipcscope::schema
