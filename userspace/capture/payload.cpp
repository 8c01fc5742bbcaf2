// SPDX-License-Identifier: GPL-2.0-only
#include "capture/payload.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <zlib.h>

namespace ipcscope::capture {
namespace {

using nlohmann::json;
using source::Host;

constexpr std::string_view kCut = "…";

/// With U+FFFD for what is not UTF-8, cut to what a HOST may have.
std::string bounded(std::string_view text)
{
    // No character needs fewer bytes in JSON than it has here.
    const bool is_long = text.size() > kMaxHostText;
    const json begin = std::string(text.substr(0, kMaxHostText));
    std::string out = json::parse(begin.dump(-1, ' ', false, json::error_handler_t::replace))
                          .get<std::string>();
    if (!is_long && out.size() <= kMaxHostText) return out;
    const auto continues = [&](std::size_t at) {
        return at < out.size() && (static_cast<unsigned char>(out[at]) & 0xc0) == 0x80;
    };
    std::size_t keep = std::min(out.size(), kMaxHostText - kCut.size());
    while (keep > 0 && continues(keep)) --keep;
    return out.substr(0, keep).append(kCut);
}

std::vector<std::string> bounded(const std::vector<std::string>& list)
{
    std::vector<std::string> out;
    std::size_t used = 0;
    for (const std::string& text : list) {
        std::string next = bounded(std::string_view(text));
        used += next.size() + 1;
        if (used > kMaxHostList - kCut.size() - 1) {
            out.emplace_back(kCut);
            break;
        }
        out.push_back(std::move(next));
    }
    return out;
}

/// A missing value keeps its default, so that a Host can grow.
/// @return false where it has another type, or is beyond the bounds
bool get(const json& from, const char* key, std::string& to)
{
    const auto at = from.find(key);
    if (at == from.end()) return true;
    if (!at->is_string()) return false;
    to = at->get_ref<const std::string&>();
    return to.size() <= kMaxHostText;
}

bool get(const json& from, const char* key, std::vector<std::string>& to)
{
    const auto at = from.find(key);
    if (at == from.end()) return true;
    if (!at->is_array()) return false;
    std::size_t used = 0;
    for (const json& text : *at) {
        if (!text.is_string()) return false;
        to.push_back(text.get_ref<const std::string&>());
        used += to.back().size() + 1;
        if (to.back().size() > kMaxHostText || used > kMaxHostList) return false;
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
        {"kernel", bounded(host.kernel)},
        {"version", bounded(host.version)},
        {"machine", bounded(host.machine)},
        {"hostname", bounded(host.hostname)},
        {"cpus", host.cpus},
        {"backend", bounded(host.backend)},
        {"tool_version", bounded(host.tool_version)},
        {"command", bounded(host.command)},
        {"filters", bounded(host.filters)},
        {"hooks", bounded(host.hooks)},
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
    if (header.kind_count < kLeastKinds || header.cause_count < kLeastCauses)
        return Status::damaged;

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
