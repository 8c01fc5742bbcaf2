// SPDX-License-Identifier: GPL-2.0-only
#include "render/json_schema.hpp"

#include <algorithm>
#include <string_view>

#include <ipcscope/record.h>
#include <nlohmann/json.hpp>

#include "decode/fields.hpp"
#include "decode/names.hpp"

namespace ipcscope::render {
namespace {

using Json = nlohmann::ordered_json;
using decode::Field;
using decode::Meaning;

Json typed(const Json& type) { return {{"type", type}}; }

Json integer(bool is_signed)
{
    Json out = typed("integer");
    if (!is_signed) {
        out["minimum"] = 0;
    }
    return out;
}

Json array_of(const Json& items) { return {{"type", "array"}, {"items", items}}; }

/// Ids are of one byte, but for kinds.
Json words(Meaning meaning)
{
    Json all = Json::array();
    for (unsigned id = 0; id <= 0xff; ++id) {
        const std::string name(decode::id_name(meaning, id));
        if (std::find(all.begin(), all.end(), Json(name)) == all.end()) {
            all.push_back(name);
        }
    }
    return {{"enum", all}};
}

class Kind {
public:
    explicit Kind(unsigned kind)
    {
        for (const char* name : {"time_ns", "lost_before", "cpu"}) {
            add(name, integer(false));
        }
        add("kind", {{"const", decode::kind_name(kind)}});
        for (const char* name : {"tgid", "tid"}) {
            add(name, integer(false));
        }
        for (const char* name : {"comm", "process"}) {
            add(name, typed("string"));
        }
        for (const char* name : {"unfinished", "before_trace"}) {
            add(name, typed("boolean"));
        }
    }

    void add(std::string_view name, const Json& schema, bool always = true)
    {
        const std::string key(name);
        if (!properties_.contains(key) && always) {
            required_.push_back(key);
        }
        properties_[key] = schema;
    }

    void add(const Field& field, bool always)
    {
        switch (field.meaning) {
        case Meaning::TIME: case Meaning::SPAN: case Meaning::COUNT: case Meaning::NUMBER:
        case Meaning::ID: case Meaning::HEX: case Meaning::WAKER: case Meaning::DEPTH:
            add(field.name, integer(field.is_signed), always);
            break;
        case Meaning::BOOL: add(field.name, typed("boolean"), always); break;
        case Meaning::DEVICE:
            add(field.name, {{"type", "string"}, {"pattern", "^[0-9]+:[0-9]+$"}}, always);
            break;
        case Meaning::SIGNAL:
            if (field.name == "sig") {
                add("sig", integer(false), always);
            }
            add(field.name == "sig" ? "signal" : field.name, typed({"string", "null"}), always);
            break;
        case Meaning::STATE: case Meaning::ORIGIN: case Meaning::RESULT:
        case Meaning::DISPOSITION: case Meaning::TAKE: case Meaning::GROUP:
        case Meaning::REASON: case Meaning::OBJECT: case Meaning::OP:
            add(field.name, words(field.meaning), always);
            break;
        case Meaning::CALL: add(field.name, typed({"string", "null"}), always); break;
        case Meaning::CALL_FLAGS:
            for (const char* flag : {"nonblock", "packet", "peek", "undo"}) {
                add(flag, typed("boolean"), always);
            }
            break;
        case Meaning::MISSING: add(field.name, array_of(typed("string")), always); break;
        case Meaning::SYSCALL: add(field.name, typed({"integer", "null"}), always); break;
        case Meaning::STACK: add(field.name, array_of(integer(false)), always); break;
        case Meaning::COMM: add(field.name, typed("string"), always); break;
        case Meaning::WORDS: add(field.name, array_of(typed("string")), always); break;
        case Meaning::PAD: break;
        }
    }

    Json schema() const
    {
        return {{"type", "object"},
                {"properties", properties_},
                {"required", required_},
                {"additionalProperties", false}};
    }

private:
    Json properties_ = Json::object();
    Json required_ = Json::array();
};

/// What a line has beside its record's fields; "": nothing.
std::string_view text_of(unsigned kind)
{
    switch (kind) {
    case IPCSCOPE_SIGNAL_GENERATE:
    case IPCSCOPE_KILL: return "target_comm";
    case IPCSCOPE_FD_RECEIVED: return "file";
    case IPCSCOPE_SYMBOL: return "text";
    case IPCSCOPE_HOLDER:
    case IPCSCOPE_CGROUP: return "path";
    case IPCSCOPE_OBSERVED: return "wait_channel";
    case IPCSCOPE_PROCESS: return "command";
    case IPCSCOPE_USER: return "name";
    default: return "";
    }
}

Json schema_of(unsigned kind)
{
    Kind out(kind);
    const bool is_short_too = kind == IPCSCOPE_SIGNAL_GENERATE;
    for (const Field& field : decode::fields_of(kind)) {
        out.add(field, !is_short_too || field.offset < sizeof(ipcscope_signal_generate));
    }
    if (kind >= IPCSCOPE_CALL_FIRST && kind <= IPCSCOPE_CALL_LAST) {
        for (unsigned type = 0; type < IPCSCOPE_OBJECT_COUNT; ++type) {
            for (const Field& field : decode::tail_fields(type)) {
                out.add(field, false);
            }
        }
    }
    if (const std::string_view text = text_of(kind); !text.empty()) {
        out.add(text, typed("string"));
    }
    return out.schema();
}

}  // namespace

std::string json_line_schema()
{
    Json kinds = Json::object(), refs = Json::array();
    const auto add = [&](unsigned kind) {
        const std::string name(decode::kind_name(kind));
        kinds[name] = schema_of(kind);
        refs.push_back({{"$ref", "#/$defs/" + name}});
    };
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        add(kind);
    }
    for (unsigned kind = IPCSCOPE_SYMBOL; kind <= IPCSCOPE_COLLECTOR_LAST; ++kind) {
        add(kind);
    }
    const Json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "A line of ipcscope dump"},
                   {"oneOf", refs},
                   {"$defs", kinds}};
    return out.dump(2);
}

}  // namespace ipcscope::render
