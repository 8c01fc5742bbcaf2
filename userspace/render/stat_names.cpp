// SPDX-License-Identifier: GPL-2.0-only
#include <array>

#include "decode/names.hpp"
#include "render/stat.hpp"

namespace ipcscope::render {
namespace {

template <std::size_t size>
std::string_view name_of(const std::array<std::string_view, size>& names, unsigned id)
{
    return id < size ? names[id] : "unknown";
}

constexpr std::array<std::string_view, IPCSCOPE_STAT_BY_COUNT> kBy{"none", "comm", "cgroup",
                                                                   "pid", "object"};
constexpr std::array<std::string_view, IPCSCOPE_STAT_CALL_COUNT> kCallOutcomes{
    "ok", "end", "again", "interrupted", "broken", "error"};
constexpr std::array<std::string_view, IPCSCOPE_UNPAIRED_COUNT> kUnpaired{
    "flushed", "exited", "deep", "no_room", "no_info", "unwanted"};

}  // namespace

std::string_view stat_by_name(unsigned by) { return name_of(kBy, by); }

std::string_view unpaired_name(unsigned cause) { return name_of(kUnpaired, cause); }

std::string stat_about(const aggregate::StatLine& line)
{
    switch (line.kind()) {
    case IPCSCOPE_SIGNAL_GENERATE:
    case IPCSCOPE_SIGNAL_TAKE: return decode::signal_name(line.what());
    case IPCSCOPE_CALL_PIPE: return "pipe";
    default: return std::string(decode::family_name(line.kind()));
    }
}

std::string_view stat_operation(const aggregate::StatLine& line)
{
    switch (line.kind()) {
    case IPCSCOPE_SIGNAL_GENERATE: return "sent";
    case IPCSCOPE_SIGNAL_TAKE: return "taken";
    default: return decode::op_name(static_cast<decode::Op>(line.what()));
    }
}

std::string_view stat_outcome(const aggregate::StatLine& line)
{
    switch (line.kind()) {
    case IPCSCOPE_SIGNAL_GENERATE:
        return decode::outcome_name(static_cast<decode::Outcome>(line.outcome()));
    case IPCSCOPE_SIGNAL_TAKE:
        return decode::how_name(static_cast<decode::How>(line.outcome()));
    default: return name_of(kCallOutcomes, line.outcome());
    }
}

}  // namespace ipcscope::render
