// SPDX-License-Identifier: GPL-2.0-only
// One event as a line of JSON, by the names of record.h: from decode's tables.
#include <algorithm>
#include <cstddef>
#include <span>

#include <nlohmann/json.hpp>

#include "decode/fields.hpp"
#include "decode/file_words.hpp"
#include "decode/names.hpp"
#include "render/json_text.hpp"
#include "render/render.hpp"

namespace ipcscope::render {
namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::span<const std::byte>;
using decode::Field;
using decode::Meaning;

Json number(const Field& field, std::int64_t value)
{
    return field.is_signed ? Json(value) : Json(static_cast<std::uint64_t>(value));
}

Json signal_name(std::int64_t signal)
{
    return signal == 0 ? Json() : Json(decode::signal_name(static_cast<unsigned>(signal)));
}

Json name_of(const Field& field, std::int64_t value)
{
    return std::string(decode::id_name(field.meaning, static_cast<std::uint64_t>(value)));
}

std::string comm(const Field& field, Bytes record)
{
    const Bytes bytes = record.subspan(field.offset, field.size * field.count);
    return SafeText::name({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).str();
}

/// Words, without the NULs at the end of all.
Json words(const Field& field, Bytes record)
{
    const Bytes bytes = record.subspan(field.offset, field.size * field.count);
    std::string_view rest{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    rest = rest.substr(0, rest.find_last_not_of('\0') + 1);
    Json list = Json::array();
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        list.push_back(SafeText::escape(word).str());
    }
    return list;
}

/// The entries of a stack that are used.
Json stack(const Field& field, Bytes record, std::size_t depth)
{
    Json entries = Json::array();
    for (std::size_t at = 0; at < std::min(depth, field.count); ++at)
        entries.push_back(static_cast<std::uint64_t>(value_of(field, record, at)));
    return entries;
}

Json missing(std::int64_t bits)
{
    Json names = Json::array();
    for (const auto name : decode::missing_names(static_cast<unsigned>(bits)))
        names.push_back(std::string(name));
    return names;
}

void put_fields(Json& out, std::span<const Field> fields, Bytes record)
{
    std::size_t depth = 0;
    for (const Field& field : fields) {
        if (field.offset + field.size * field.count > record.size()) continue;
        const std::string name(field.name);
        const std::int64_t value = field.count == 1 ? value_of(field, record) : 0;
        switch (field.meaning) {
        case Meaning::TIME: case Meaning::SPAN: case Meaning::COUNT: case Meaning::NUMBER:
        case Meaning::ID: case Meaning::HEX: case Meaning::WAKER:
            out[name] = number(field, value);
            break;
        case Meaning::BOOL: out[name] = value != 0; break;
        case Meaning::DEVICE: out[name] = device(static_cast<std::uint32_t>(value)); break;
        case Meaning::SIGNAL:
            if (name == "sig") out["sig"] = value;
            out[name == "sig" ? "signal" : name] = signal_name(value);
            break;
        case Meaning::STATE: case Meaning::ORIGIN: case Meaning::RESULT:
        case Meaning::DISPOSITION: case Meaning::TAKE: case Meaning::GROUP:
        case Meaning::REASON: case Meaning::OBJECT: case Meaning::OP:
            out[name] = name_of(field, value);
            break;
        case Meaning::CALL: out[name] = value == 0 ? Json() : name_of(field, value); break;
        case Meaning::CALL_FLAGS:
            out["nonblock"] = (value & IPCSCOPE_CALL_NONBLOCK) != 0;
            out["packet"] = (value & IPCSCOPE_CALL_PACKET) != 0;
            out["peek"] = (value & IPCSCOPE_CALL_PEEK) != 0;
            out["undo"] = (value & IPCSCOPE_CALL_UNDO) != 0;
            break;
        case Meaning::MISSING: out[name] = missing(value); break;
        case Meaning::SYSCALL:
            out[name] = value == IPCSCOPE_SYSCALL_NONE ? Json() : Json(value);
            break;
        case Meaning::DEPTH:
            depth = static_cast<std::size_t>(value);
            out[name] = value;
            break;
        case Meaning::STACK: out[name] = stack(field, record, depth); break;
        case Meaning::COMM: out[name] = comm(field, record); break;
        case Meaning::WORDS: out[name] = words(field, record); break;
        case Meaning::PAD: break;
        }
    }
}

/// A record of the contract, by its kind's table.
template <typename Record>
Bytes bytes_of(const Record& record)
{
    static_assert(offsetof(Record, header) == 0);
    return std::as_bytes(std::span(&record, 1));
}

template <typename Record>
void put(Json& out, const decode::Event& event, const Record& record)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(record));
}

void put(Json& out, const decode::Event& event, const decode::SignalGenerate& record)
{
    const Bytes bytes = bytes_of(record);
    put_fields(out, decode::fields_of(event.kind),
               bytes.first(std::min<std::size_t>(record.header.size, bytes.size())));
    out["target_comm"] = event.target.comm.text().str();
}

void put(Json& out, const decode::Event& event, const decode::Kill& record)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(record));
    out["target_comm"] = event.target.comm.text().str();
}

void put(Json& out, const decode::Event& event, const decode::Call& record)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(record));
    put_fields(out, decode::tail_fields(record.type), bytes_of(record));
}

void put(Json& out, const decode::Event& event, const decode::FdReceived& file)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(file));
    out["file"] = decode::file_words(file);
}

void put(Json&, const decode::Event&, const decode::ThreadFree&) {}

void put(Json& out, const decode::Event& event, const decode::Symbol& symbol)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(symbol.record));
    out["text"] = symbol.text.str();
}

void put(Json& out, const decode::Event& event, const decode::Holder& holder)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(holder.record));
    out["path"] = holder.path.str();
}

void put(Json& out, const decode::Event& event, const decode::Observed& observed)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(observed.record));
    out["wait_channel"] = observed.wait_channel.str();
}

void put(Json& out, const decode::Event& event, const decode::Process& process)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(process.record));
    out["command"] = process.command.str();
}

void put(Json& out, const decode::Event& event, const decode::User& user)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(user.record));
    out["name"] = user.name.str();
}

void put(Json& out, const decode::Event& event, const decode::Cgroup& cgroup)
{
    put_fields(out, decode::fields_of(event.kind), bytes_of(cgroup.record));
    out["path"] = cgroup.path.str();
}

}  // namespace

std::string json_line(const decode::Event& event)
{
    Json out;
    out["time_ns"] = event.time_ns;
    out["lost_before"] = event.lost_before;
    out["cpu"] = event.cpu;
    out["kind"] = std::string(decode::kind_name(event.kind));
    out["tgid"] = event.task.tgid;
    out["tid"] = event.task.tid;
    out["comm"] = event.task.comm.text().str();
    out["process"] = event.process.text().str();
    out["unfinished"] = event.unfinished;
    out["before_trace"] = event.before_trace;
    std::visit([&](const auto& body) { put(out, event, body); }, event.body);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ipcscope::render
