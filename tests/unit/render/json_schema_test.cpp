// SPDX-License-Identifier: GPL-2.0-only
// Each line of dump is what the schema says of its kind, whatever is in the record.
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../decode/hostile.hpp"
#include "aggregate/event_stream.hpp"
#include "render/json_schema.hpp"
#include "render/render.hpp"
#include "schema.hpp"

namespace ipcscope {
namespace {

/// Any call may be on any object, but that of random bytes seldom is on an eventfd.
std::string group_of(const std::string& kind)
{
    return kind.starts_with("call_") ? "call" : kind;
}

TEST(JsonSchema, IsThatOfEveryLine)
{
    const auto schema = nlohmann::json::parse(render::json_line_schema());
    EXPECT_EQ(schema["oneOf"].size(), std::size(test::kKinds));
    std::set<std::string> seen;
    std::set<std::pair<std::string, std::string>> properties;
    aggregate::EventStream events([&](const decode::Event& event) {
        const auto line = nlohmann::json::parse(render::json_line(event));
        const std::string kind = line["kind"];
        ASSERT_TRUE(schema["$defs"].contains(kind)) << kind;
        ASSERT_EQ(schema::check(line, schema["$defs"][kind]), "") << line;
        seen.insert(kind);
        for (const auto& [name, value] : line.items()) {
            properties.emplace(group_of(kind), name);
        }
    });
    test::Random random{5};
    std::uint64_t now = 1000;
    for (std::size_t i = 0; i < test::hostile_records(); ++i) {
        ASSERT_TRUE(events.records(i % 4, test::any_record(random, now += random.below(100))));
    }
    events.flush();
    EXPECT_EQ(seen.size(), std::size(test::kKinds));
    // And it says nothing that no line has.
    for (const auto& [kind, one] : schema["$defs"].items()) {
        for (const auto& [name, value] : one["properties"].items()) {
            EXPECT_TRUE(properties.contains({group_of(kind), name})) << kind << '.' << name;
        }
    }
}

TEST(JsonSchema, RefusesWhatIsNone)
{
    const auto schema = nlohmann::json::parse(render::json_line_schema());
    decode::Event event;
    event.kind = IPCSCOPE_USER;
    event.body = decode::User{};
    auto line = nlohmann::json::parse(render::json_line(event));
    EXPECT_EQ(schema::check(line, schema["$defs"]["user"]), "");
    line["id"] = "x";
    EXPECT_NE(schema::check(line, schema["$defs"]["user"]), "");
    line.erase("id");
    EXPECT_NE(schema::check(line, schema["$defs"]["user"]), "");
}

}  // namespace
}  // namespace ipcscope
