// SPDX-License-Identifier: GPL-2.0-only
// Which ring is small: for the bursts that go through it, or by a limit; and who fills
// it with small writes?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelEnd;
using aggregate::ChannelRow;

/// Pages of a ring of the default /proc/sys/fs/pipe-max-size, 1 MiB.
constexpr std::uint32_t kLargestPages = 256;
/// Pages of a ring unless something else is asked for, or a limit is reached.
constexpr std::uint32_t kUsualPages = 16;

std::uint64_t span_ns(const ChannelRow& channel) { return since(channel.last_ns, channel.first_ns); }

/// Both sides wait for each other by turns: a larger ring evens bursts out.
/// Where only one side waits, the other is slow and no ring helps.
bool waits_by_turns(const ChannelRow& channel)
{
    const auto notable = [&](std::uint64_t ns) {
        return at_least(ns, span_ns(channel), kThresholds.ring_waits_percent, 100);
    };
    return channel.ring_slots != 0 && channel.ring_slots < kLargestPages &&
           channel.writes.blocked_count >= kThresholds.many_stalls &&
           channel.reads.blocked_count >= kThresholds.many_stalls && notable(channel.full_ns) &&
           notable(channel.empty_ns) && channel.full_ns >= kThresholds.ring_waits_ns;
}

void name_ends(const ChannelRow& channel, Finding& made)
{
    for (const ChannelEnd& writer : channel.writers) {
        made.subjects.push_back({writer.task, "writer"});
    }
    for (const ChannelEnd& reader : channel.readers) {
        made.subjects.push_back({reader.task, "reader"});
    }
    made.objects.push_back(object_of(channel));
    made.at_ns = channel.first_ns;
}

std::string from_to(const ChannelRow& channel)
{
    return fmt::format("{} from {} to {}", which(channel), all_of(channel.writers),
                       all_of(channel.readers));
}

Finding ring_turns(const ChannelRow& channel)
{
    Finding made = finding(
        Code::ring_turns,
        fmt::format("The {} was full for {} and empty for {} of the time: its sides wait for "
                    "each other by turns.",
                    from_to(channel), glued(percent(channel.full_ns, span_ns(channel))),
                    glued(percent(channel.empty_ns, span_ns(channel)))));
    made.advice = fmt::format("A ring of more than {} pages may even that out (fcntl "
                              "F_SETPIPE_SZ, up to 1 MiB without privilege).",
                              channel.ring_slots);
    name_ends(channel, made);
    made.duration_ns = channel.full_ns;
    made.evidence = {{"full_ns", channel.full_ns},
                     {"empty_ns", channel.empty_ns},
                     {"ring_pages", std::uint64_t{channel.ring_slots}}};
    return made;
}

/// The writers slept for room often enough that a usual ring would have spared them, or
/// write more at once than it holds.
bool ring_is_small(const ChannelRow& channel)
{
    const bool large_writes = std::ranges::any_of(channel.writers, [&](const ChannelEnd& writer) {
        return writer.count >= kThresholds.large_writes &&
               writer.asked_bytes > std::uint64_t{channel.ring_slots} * 4096;
    });
    return channel.ring_slots != 0 && channel.ring_slots < kUsualPages &&
           (large_writes ||
            channel.writes.blocked_count + channel.writes.eagain >= kThresholds.small_ring_stalls);
}

Finding small_ring(const ChannelRow& channel)
{
    Finding made = finding(
        Code::small_ring,
        fmt::format("The {} has a ring of {}, not {}: its writers waited for room {}, {} in all.",
                    from_to(channel), counted(channel.ring_slots, "page", "pages"), kUsualPages,
                    counted(channel.writes.blocked_count, "time", "times"),
                    time(channel.writes.blocked_ns)));
    made.advice = "Without F_SETPIPE_SZ in the program, its user holds more pages in pipes than "
                  "/proc/sys/fs/pipe-user-pages-soft, and each new pipe gets 1 or 2.";
    name_ends(channel, made);
    made.duration_ns = channel.full_ns;
    made.evidence = {{"ring_pages", std::uint64_t{channel.ring_slots}},
                     {"stalls", channel.writes.blocked_count},
                     {"blocked_ns", channel.writes.blocked_ns}};
    return made;
}

/// That wrote something.
std::uint64_t writes_of(const ChannelEnd& writer)
{
    return since(writer.count, plus(writer.refused, writer.broken));
}

bool writes_little(const ChannelEnd& writer)
{
    return writes_of(writer) >= kThresholds.small_writes &&
           writer.bytes / writes_of(writer) <= kThresholds.small_write_bytes;
}

Finding small_writes(const ChannelRow& channel, const ChannelEnd& writer)
{
    Finding made = finding(
        Code::small_writes,
        fmt::format("{} wrote {} to {} in {} writes, {} each.", who(writer.task),
                    glued(bytes(writer.bytes)), which(channel), grouped(writes_of(writer)),
                    glued(bytes(writer.bytes / writes_of(writer)))));
    made.advice = "Where no answer hangs on each, gather them: a buffer, or writev().";
    made.subjects.push_back({writer.task, "writer"});
    made.objects.push_back(object_of(channel));
    made.at_ns = writer.first_call_ns;
    made.evidence = {{"writes", writes_of(writer)},
                     {"written_bytes", writer.bytes},
                     {"reader_wakeups", channel.reads.blocked_count}};
    return made;
}

}  // namespace

void find_rings(const WaitGraph& graph, Findings& findings)
{
    for (const ChannelRow& channel : graph.report().channels) {
        if (!channel.is_pipe()) {
            continue;
        }
        if (ring_is_small(channel)) {
            findings.push_back(small_ring(channel));
        } else if (waits_by_turns(channel)) {
            findings.push_back(ring_turns(channel));
        }
        for (const ChannelEnd& writer : channel.writers) {
            if (writes_little(writer)) {
                findings.push_back(small_writes(channel, writer));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
