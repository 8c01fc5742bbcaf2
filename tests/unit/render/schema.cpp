// SPDX-License-Identifier: GPL-2.0-only
#include "schema.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

namespace ipcscope::schema {
namespace {

using Json = nlohmann::json;

std::string check_in(const Json& value, const Json& schema, const std::string& where,
                     const Json& root);

bool is_type(const Json& value, const std::string& type)
{
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    return type == "null" && value.is_null();
}

bool is_one_of(const Json& value, const Json& types)
{
    if (types.is_string()) return is_type(value, types.get<std::string>());
    return std::ranges::any_of(types, [&](const Json& type) {
        return is_type(value, type.get<std::string>());
    });
}

std::string check_object(const Json& value, const Json& schema, const std::string& where,
                         const Json& root)
{
    if (!value.is_object()) return {};
    for (const Json& name : schema.value("required", Json::array()))
        if (!value.contains(name.get<std::string>()))
            return where + ": lacks " + name.get<std::string>();
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
        // false, or the schema of all that have no other
        const Json others = schema.value("additionalProperties", Json(false));
        if (!properties.contains(name) && !others.is_object())
            return where + ": must not have " + name;
        const Json& own = properties.contains(name) ? properties[name] : others;
        if (auto wrong = check_in(member, own, where + "." + name, root);
            !wrong.empty())
            return wrong;
    }
    return {};
}

std::string check_array(const Json& value, const Json& schema, const std::string& where,
                        const Json& root)
{
    if (!value.is_array()) return {};
    if (value.size() < schema.value("minItems", std::size_t{0}) ||
        value.size() > schema.value("maxItems", SIZE_MAX))
        return where + ": has " + std::to_string(value.size()) + " items";
    for (std::size_t at = 0; schema.contains("items") && at < value.size(); at++)
        if (auto wrong = check_in(value[at], schema["items"],
                                  where + "[" + std::to_string(at) + "]", root);
            !wrong.empty())
            return wrong;
    return {};
}

/// The keywords about one value by itself.
std::string check_value(const Json& value, const Json& schema, const std::string& where)
{
    if (schema.contains("type") && !is_one_of(value, schema["type"]))
        return where + ": is " + value.dump() + ", not " + schema["type"].dump();
    if (schema.contains("const") && value != schema["const"]) return where + ": wrong const";
    if (schema.contains("enum") &&
        std::ranges::find(schema["enum"], value) == schema["enum"].end())
        return where + ": " + value.dump() + " is not in the list";
    if (schema.contains("minimum") && value.is_number() && value < schema["minimum"])
        return where + ": " + value.dump() + " is too small";
    if (schema.contains("pattern") && value.is_string() &&
        !std::regex_search(value.get<std::string>(),
                           std::regex(schema["pattern"].get<std::string>())))
        return where + ": " + value.dump() + " does not match";
    return {};
}

std::string unknown_keyword(const Json& schema)
{
    static const std::vector<std::string> kKnown = {
        "$schema", "$id", "$defs", "$ref", "title", "description", "type", "const", "enum",
        "minimum", "pattern", "required", "properties", "additionalProperties", "items",
        "minItems", "maxItems",
    };
    for (const auto& [keyword, value] : schema.items()) {
        if (std::ranges::find(kKnown, keyword) == kKnown.end()) return keyword;
        if (keyword == "additionalProperties" && value != false && !value.is_object())
            return keyword;
    }
    return schema.value("type", Json()) == "object" && !schema.contains("additionalProperties")
               ? "(object open for any property)"
               : "";
}

/// `root`: where its references lead.
std::string check_in(const Json& value, const Json& schema, const std::string& where,
                     const Json& root)
{
    if (const auto keyword = unknown_keyword(schema); !keyword.empty())
        return where + ": schema has " + keyword;
    if (schema.contains("$ref")) {
        const auto target = schema["$ref"].get<std::string>().substr(1);
        return check_in(value, root.at(Json::json_pointer(target)), where, root);
    }
    if (auto wrong = check_value(value, schema, where); !wrong.empty()) return wrong;
    for (const auto part : {check_object, check_array})
        if (auto wrong = part(value, schema, where, root); !wrong.empty()) return wrong;
    return {};
}

Json load(const char* name)
{
    const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
    std::ifstream file(root / "docs" / name);
    return Json::parse(file);
}

}  // namespace

const Json& report()
{
    static const Json schema = load("report.schema.json");
    return schema;
}

const Json& bench()
{
    static const Json schema = load("bench.schema.json");
    return schema;
}

const Json& bench_diff()
{
    static const Json schema = load("bench-diff.schema.json");
    return schema;
}

const Json& diff()
{
    static const Json schema = load("diff.schema.json");
    return schema;
}

const Json& stat()
{
    static const Json schema = load("stat.schema.json");
    return schema;
}

const Json& inspect()
{
    static const Json schema = load("inspect.schema.json");
    return schema;
}

std::string check(const Json& value, const Json& schema, const std::string& where)
{
    return check_in(value, schema, where, schema);
}

}  // namespace ipcscope::schema
