// SPDX-License-Identifier: GPL-2.0-only
// A histogram of latencies, as every JSON of ours has it.
#pragma once

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/histogram.hpp"

namespace ipcscope::render {

/// count, sum, min, p50, p90, p99, p999, `more` quantiles by name, max, and the
/// buckets that hold something as [low, high, count].
inline nlohmann::ordered_json histogram_json(
    const Histogram& histogram, const std::vector<std::pair<const char*, double>>& more = {})
{
    using Json = nlohmann::ordered_json;
    Json buckets = Json::array();
    for (const Histogram::Bucket& bucket : histogram.buckets())
        buckets.push_back(Json::array({bucket.low, bucket.high, bucket.count}));
    Json json{{"count", histogram.count()},
              {"sum", histogram.sum()},
              {"min", histogram.min()},
              {"p50", histogram.quantile(0.5)},
              {"p90", histogram.quantile(0.9)},
              {"p99", histogram.quantile(0.99)},
              {"p999", histogram.quantile(0.999)}};
    for (const auto& [name, quantile] : more)
        json[name] = histogram.quantile(quantile);
    json["max"] = histogram.max();
    json["histogram"] = std::move(buckets);
    return json;
}

}  // namespace ipcscope::render
