// SPDX-License-Identifier: GPL-2.0-only
// Which reads and writes moved less than they asked for, where that matters?
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

std::uint64_t ring_bytes(const ChannelRow& channel) { return std::uint64_t{channel.ring_slots} * 4096; }

/// dd does; another program where its reads got half of what the pipe can hold, on average. Who
/// reads line by line as they come, and has seen enough (grep -q), asks for as much.
bool takes_reads_for_blocks(const ChannelRow& channel, const ChannelEnd& reader)
{
    return reader.task.comm == "dd" || at_least(reader.bytes, reader.count * ring_bytes(channel), 1, 2);
}

/// All its reads asked for all that the pipe can hold, or more, and it ended itself before the
/// end of file: what it counts as blocks was less.  One that reads to the end loses nothing.
bool lost_data(const WaitGraph& graph, const ChannelRow& channel, const ChannelEnd& reader)
{
    const aggregate::LifeRow* life = graph.life(reader.task.tgid);
    return reader.beyond_ring >= kThresholds.short_reads && reader.beyond_ring == reader.count &&
           reader.eof == 0 && takes_reads_for_blocks(channel, reader) && life != nullptr && life->exit_ns != 0 && life->exit_code == 0 &&
           graph.complete() &&
           (channel.writes.epipe != 0 || channel.writes.bytes > channel.reads.bytes);
}

/// Nearly all its reads got half of what the ring could have held for them, or less: of
/// interest to who takes each read for a whole record.
bool reads_parts(const ChannelRow& channel, const ChannelEnd& reader)
{
    const std::uint64_t reads = since(reader.count, plus(reader.eof, reader.refused));
    return reads >= kThresholds.many_short_reads && at_least(reader.short_calls, reads, 9, 10) &&
           reader.asked_bytes <= ring_bytes(channel) &&
           reader.bytes / reads <= reader.asked_bytes / 2;
}

Finding short_reads(const ChannelRow& channel, const ChannelEnd& reader, std::string more)
{
    Finding made = finding(
        Code::short_reads,
        fmt::format("{} of {} reads of {} by {} came back short: it asked for {} each time, and "
                    "got {} in all.{}",
                    grouped(reader.short_calls), grouped(reader.count), which(channel),
                    who(reader.task), glued(bytes(reader.asked_bytes)),
                    glued(bytes(reader.bytes)), more));
    made.advice = "A read from a pipe returns what there is: read in a loop until enough came "
                  "(dd: iflag=fullblock).";
    made.subjects.push_back({reader.task, "reader"});
    made.objects.push_back(object_of(channel));
    made.at_ns = reader.first_call_ns;
    made.evidence = {{"short", reader.short_calls},
                     {"reads", reader.count},
                     {"asked_bytes", reader.asked_bytes},
                     {"got_bytes", reader.bytes}};
    return made;
}

Finding short_writes(const ChannelRow& channel, const ChannelEnd& writer)
{
    Finding made = finding(
        Code::short_writes,
        fmt::format("{} of {} writes of {} by {} were short: a part did not fit.",
                    grouped(writer.short_calls), grouped(writer.count), which(channel),
                    who(writer.task)));
    made.subjects.push_back({writer.task, "writer"});
    made.objects.push_back(object_of(channel));
    made.at_ns = writer.first_call_ns;
    made.evidence = {{"short", writer.short_calls}, {"writes", writer.count}};
    return made;
}

}  // namespace

void find_short_calls(const WaitGraph& graph, Findings& findings)
{
    for (const ChannelRow& channel : graph.report().channels) {
        if (!channel.is_pipe()) {
            continue;   // others keep messages whole, or have a protocol of their own
        }
        for (const ChannelEnd& reader : channel.readers) {
            if (lost_data(graph, channel, reader)) {
                findings.push_back(short_reads(
                    channel, reader,
                    fmt::format(" The {} holds {} at most; it then exited before the end of file.",
                                words(channel).noun, glued(bytes(ring_bytes(channel))))));
            } else if (reads_parts(channel, reader)) {
                findings.push_back(short_reads(channel, reader, ""));
                findings.back().severity = Severity::note;
            }
        }
        for (const ChannelEnd& writer : channel.writers) {
            if (writer.short_calls >= kThresholds.short_writes &&
                at_least(writer.short_calls, writer.count - writer.refused, 1, 2)) {
                findings.push_back(short_writes(channel, writer));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
