// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/time.hpp"

namespace ipcscope::aggregate {
namespace {

constexpr std::array<std::string_view, 18> kNames{
    "running",      "runnable",   "input",       "output",       "call",
    "call_uninterruptible",       "poll_input",  "poll_output",  "poll_other",
    "poll_unknown", "sleeping",   "uninterruptible",             "killable",
    "stopped",      "traced",     "frozen",      "other",        "unaccounted",
};
static_assert(kNames.size() == kParts);

}  // namespace

std::string_view part_name(Part part) { return kNames[static_cast<std::size_t>(part)]; }

Time& Time::operator+=(const Time& more)
{
    span_ns += more.span_ns;
    // Of one record most are 0, and what is not written stays out of the cache.
    for (std::size_t part = 0; part < kParts; ++part) {
        if (more.parts_ns[part] != 0) parts_ns[part] += more.parts_ns[part];
    }
    return *this;
}

std::uint64_t Time::poll_ns() const
{
    return at(Part::poll_input) + at(Part::poll_output) + at(Part::poll_other) +
           at(Part::poll_unknown);
}

}  // namespace ipcscope::aggregate
