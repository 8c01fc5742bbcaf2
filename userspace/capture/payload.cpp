// SPDX-License-Identifier: GPL-2.0-only
#include "capture/payload.hpp"

#include <nlohmann/json.hpp>
#include <zlib.h>

namespace ipcscope::capture {
namespace {

using nlohmann::json;
using source::Host;

// JSON needs up to six bytes for one; with these, HOST stays below kMaxPayload.
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxList = 32768;

std::string clipped(const std::string& text)
{
    if (text.size() <= kMaxText) return text;
    return std::string(text, 0, kMaxText).append("…");
}

std::vector<std::string> clipped(const std::vector<std::string>& list)
{
    std::vector<std::string> out;
    std::size_t used = 0;
    for (const std::string& text : list) {
        used += text.size() + 1;
        if (used > kMaxList) {
            out.emplace_back("…");
            break;
        }
        out.push_back(text);
    }
    return out;
}

/// A missing value keeps its default, so that a Host can grow.
/// @return false where it has another type
bool get(const json& from, const char* key, std::string& to)
{
    const auto at = from.find(key);
    if (at == from.end()) return true;
    if (!at->is_string()) return false;
    to = at->get_ref<const std::string&>();
    return true;
}

bool get(const json& from, const char* key, std::vector<std::string>& to)
{
    const auto at = from.find(key);
    if (at == from.end()) return true;
    if (!at->is_array()) return false;
    for (const json& text : *at) {
        if (!text.is_string()) return false;
        to.push_back(text.get_ref<const std::string&>());
    }
    return true;
}

bool get(const json& from, const char* key, std::uint64_t& to)
{
    const auto at = from.find(key);
    if (at == from.end()) return true;
    if (!at->is_number_unsigned()) return false;
    to = at->get<std::uint64_t>();
    return true;
}

bool get(const json& from, const char* key, std::int64_t& to)
{
    const auto at = from.find(key);
    if (at == from.end()) return true;
    if (!at->is_number_integer()) return false;
    if (at->is_number_unsigned() && at->get<std::uint64_t>() > INT64_MAX) return false;
    to = at->get<std::int64_t>();
    return true;
}

bool get(const json& from, const char* key, unsigned& to)
{
    std::uint64_t value = to;
    if (!get(from, key, value) || value > kMaxCpus) return false;
    to = static_cast<unsigned>(value);
    return true;
}

/// The ids a LEDGER block was written with, at most ours.
struct Shape {
    std::size_t kinds;
    std::size_t causes;
    std::size_t values() const { return kinds * (2 + causes) + 1; }
};

ipcscope_ledger read_ledger(std::span<const std::byte> bytes, Shape shape)
{
    std::size_t at = 0;
    const auto next = [&] { return read_as<__u64>(bytes.subspan(sizeof(__u64) * at++)); };
    ipcscope_ledger ledger{};
    for (std::size_t kind = 0; kind < shape.kinds; ++kind) {
        ipcscope_tally& tally = ledger.kind[kind];
        tally.emitted = next();
        tally.filtered = next();
        for (std::size_t cause = 0; cause < shape.causes; ++cause) tally.lost[cause] = next();
    }
    ledger.lost = next();
    return ledger;
}

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes)
{
    return static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string host_to_json(const Host& host)
{
    const json out{
        {"kernel", clipped(host.kernel)},
        {"version", clipped(host.version)},
        {"machine", clipped(host.machine)},
        {"hostname", clipped(host.hostname)},
        {"cpus", host.cpus},
        {"backend", clipped(host.backend)},
        {"tool_version", clipped(host.tool_version)},
        {"command", clipped(host.command)},
        {"filters", clipped(host.filters)},
        {"hooks", clipped(host.hooks)},
        {"start_ns", host.start_ns},
        {"realtime_offset_ns", host.realtime_offset_ns},
    };
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Host> host_from_json(std::string_view text)
{
    // A host has lists of text and nothing deeper: what is deeper is left out
    // while parsing, so that it costs no memory.
    const auto shallow = [](int depth, json::parse_event_t event, json&) {
        return depth < 2 || (event != json::parse_event_t::object_start &&
                             event != json::parse_event_t::array_start);
    };
    const json in = json::parse(text.begin(), text.end(), shallow, false);
    if (!in.is_object()) return std::nullopt;
    Host host;
    const bool good = get(in, "kernel", host.kernel) && get(in, "version", host.version) &&
                      get(in, "machine", host.machine) && get(in, "hostname", host.hostname) &&
                      get(in, "cpus", host.cpus) && get(in, "backend", host.backend) &&
                      get(in, "tool_version", host.tool_version) &&
                      get(in, "command", host.command) && get(in, "filters", host.filters) &&
                      get(in, "hooks", host.hooks) && get(in, "start_ns", host.start_ns) &&
                      get(in, "realtime_offset_ns", host.realtime_offset_ns);
    if (!good) return std::nullopt;
    return host;
}

LedgerReader::Status LedgerReader::add(std::span<const std::byte> payload)
{
    if (payload.size() < sizeof(LedgerHeader)) return Status::damaged;
    const auto header = read_as<LedgerHeader>(payload);
    payload = payload.subspan(sizeof header);
    if (header.kind_count > IPCSCOPE_KIND_COUNT || header.cause_count > IPCSCOPE_LOST_COUNT)
        return Status::unknown_ids;

    if (whole_) ledger_.clear();
    const Shape shape{header.kind_count, header.cause_count};
    const std::size_t bytes = shape.values() * sizeof(__u64);
    if (header.cpu_total > kMaxCpus || header.first_cpu > header.cpu_total ||
        header.first_cpu != ledger_.size() ||
        header.cpu_count > header.cpu_total - header.first_cpu ||
        payload.size() != header.cpu_count * bytes)
        return Status::damaged;
    for (; !payload.empty(); payload = payload.subspan(bytes))
        ledger_.push_back(read_ledger(payload, shape));
    whole_ = ledger_.size() == header.cpu_total;
    return whole_ ? Status::complete : Status::more;
}

}  // namespace ipcscope::capture
