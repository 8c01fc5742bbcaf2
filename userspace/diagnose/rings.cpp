// SPDX-License-Identifier: GPL-2.0-only
// Which ring is small: for the bursts that go through it, or by a limit; and who fills
// it with small writes?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/pipe_kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::PipeEndRow;
using aggregate::PipeRow;

/// Pages of a ring of the default /proc/sys/fs/pipe-max-size, 1 MiB.
constexpr std::uint32_t kLargestPages = 256;
/// Pages of a ring unless something else is asked for, or a limit is reached.
constexpr std::uint32_t kUsualPages = 16;

std::uint64_t span_ns(const PipeRow& pipe) { return since(pipe.last_ns, pipe.first_ns); }

/// Both sides wait for each other by turns: a larger ring evens bursts out.
/// Where only one side waits, the other is slow and no ring helps.
bool waits_by_turns(const PipeRow& pipe)
{
    const auto notable = [&](std::uint64_t ns) {
        return at_least(ns, span_ns(pipe), kThresholds.ring_waits_percent, 100);
    };
    return pipe.ring_slots != 0 && pipe.ring_slots < kLargestPages &&
           pipe.writes.blocked_count >= kThresholds.many_stalls &&
           pipe.reads.blocked_count >= kThresholds.many_stalls && notable(pipe.full_ns) &&
           notable(pipe.empty_ns) && pipe.full_ns >= kThresholds.ring_waits_ns;
}

void name_ends(const PipeRow& pipe, Finding& made)
{
    for (const PipeEndRow& writer : pipe.writers) {
        made.subjects.push_back({writer.task, "writer"});
    }
    for (const PipeEndRow& reader : pipe.readers) {
        made.subjects.push_back({reader.task, "reader"});
    }
    made.objects.push_back(object_of(pipe));
    made.at_ns = pipe.first_ns;
}

std::string from_to(const PipeRow& pipe)
{
    return fmt::format("{} from {} to {}", which(pipe), all_of(pipe.writers),
                       all_of(pipe.readers));
}

Finding ring_turns(const PipeRow& pipe)
{
    Finding made = finding(
        Code::ring_turns,
        fmt::format("The {} was full for {} and empty for {} of the time: its sides wait for "
                    "each other by turns.",
                    from_to(pipe), glued(percent(pipe.full_ns, span_ns(pipe))),
                    glued(percent(pipe.empty_ns, span_ns(pipe)))));
    made.advice = fmt::format("A ring of more than {} pages may even that out (fcntl "
                              "F_SETPIPE_SZ, up to 1 MiB without privilege).",
                              pipe.ring_slots);
    name_ends(pipe, made);
    made.duration_ns = pipe.full_ns;
    made.evidence = {{"full_ns", pipe.full_ns},
                     {"empty_ns", pipe.empty_ns},
                     {"ring_pages", std::uint64_t{pipe.ring_slots}}};
    return made;
}

/// The writers slept for room often enough that a usual ring would have spared them, or
/// write more at once than it holds.
bool ring_is_small(const PipeRow& pipe)
{
    const bool large_writes = std::ranges::any_of(pipe.writers, [&](const PipeEndRow& writer) {
        return writer.count >= kThresholds.large_writes &&
               writer.asked_bytes > std::uint64_t{pipe.ring_slots} * 4096;
    });
    return pipe.ring_slots != 0 && pipe.ring_slots < kUsualPages &&
           (large_writes ||
            pipe.writes.blocked_count + pipe.writes.eagain >= kThresholds.small_ring_stalls);
}

Finding small_ring(const PipeRow& pipe)
{
    Finding made = finding(
        Code::small_ring,
        fmt::format("The {} has a ring of {}, not {}: its writers waited for room {}, {} in all.",
                    from_to(pipe), counted(pipe.ring_slots, "page", "pages"), kUsualPages,
                    counted(pipe.writes.blocked_count, "time", "times"),
                    time(pipe.writes.blocked_ns)));
    made.advice = "Without F_SETPIPE_SZ in the program, its user holds more pages in pipes than "
                  "/proc/sys/fs/pipe-user-pages-soft, and each new pipe gets 1 or 2.";
    name_ends(pipe, made);
    made.duration_ns = pipe.full_ns;
    made.evidence = {{"ring_pages", std::uint64_t{pipe.ring_slots}},
                     {"stalls", pipe.writes.blocked_count},
                     {"blocked_ns", pipe.writes.blocked_ns}};
    return made;
}

bool writes_little(const PipeEndRow& writer)
{
    return writer.count >= kThresholds.small_writes &&
           writer.bytes / writer.count <= kThresholds.small_write_bytes;
}

Finding small_writes(const PipeRow& pipe, const PipeEndRow& writer)
{
    Finding made = finding(
        Code::small_writes,
        fmt::format("{} wrote {} to {} in {} writes, {} each.", who(writer.task),
                    glued(bytes(writer.bytes)), which(pipe), grouped(writer.count),
                    glued(bytes(writer.bytes / writer.count))));
    made.advice = "Where no answer hangs on each, gather them: a buffer, or writev().";
    made.subjects.push_back({writer.task, "writer"});
    made.objects.push_back(object_of(pipe));
    made.at_ns = writer.first_call_ns;
    made.evidence = {{"writes", writer.count},
                     {"written_bytes", writer.bytes},
                     {"reader_wakeups", pipe.reads.blocked_count}};
    return made;
}

}  // namespace

void find_rings(const WaitGraph& graph, Findings& findings)
{
    for (const PipeRow& pipe : graph.report().pipes) {
        if (ring_is_small(pipe)) {
            findings.push_back(small_ring(pipe));
        } else if (waits_by_turns(pipe)) {
            findings.push_back(ring_turns(pipe));
        }
        for (const PipeEndRow& writer : pipe.writers) {
            if (writes_little(writer)) {
                findings.push_back(small_writes(pipe, writer));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
