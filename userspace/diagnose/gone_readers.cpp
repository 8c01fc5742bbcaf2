// SPDX-License-Identifier: GPL-2.0-only
// Who was ended by SIGPIPE, or got EPIPE, and whose end of the pipe was gone?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LifeRow;
using aggregate::ChannelEnd;
using aggregate::ChannelRow;

constexpr unsigned kSigpipe = 13;

unsigned died_of(const LifeRow& life)
{
    return life.exit_ns != 0 ? decode::ended_by(life.exit_code) : 0;
}

/// When the writer found no reader: at its first EPIPE, or, where a write had moved a part
/// before that, as SIGPIPE ended it; 0: it did not.
std::uint64_t found_none_ns(const WaitGraph& graph, const ChannelEnd& writer)
{
    const LifeRow* life = graph.life(writer.task.tgid);
    const bool ended_in_it = writer.cut && life != nullptr && died_of(*life) == kSigpipe;
    return writer.broken != 0 ? writer.broken_ns : ended_in_it ? writer.last_call_ns : 0;
}

/// The reader whose end left none, at `time_ns`; nullptr where that is not known.
const LifeRow* last_reader(const WaitGraph& graph, const ChannelRow& channel,
                           std::uint64_t time_ns)
{
    const LifeRow* last = nullptr;
    if (!channel.reads.traced || !graph.complete()) {
        return nullptr;
    }
    for (const ChannelEnd& reader : channel.readers) {
        const LifeRow* life = graph.life(reader.task.tgid);
        if (life == nullptr || life->exit_ns == 0 ||
            life->exit_ns > time_ns + kThresholds.slow_death_ns) {   // its files are closed before
            if (!reader.holds_only) {
                return nullptr;   // it closed its end, perhaps as the last, and lived on
            }
            continue;
        }
        if (last == nullptr || life->exit_ns > last->exit_ns) {
            last = life;
        }
    }
    return last;
}

/// "exited with status 1", "was ended by SIGKILL"
std::string how_it_went(const LifeRow& life)
{
    if (const unsigned signal = died_of(life); signal != 0) {
        return "was ended by " + decode::signal_name(signal);
    }
    const unsigned status = decode::exit_status(life.exit_code);
    return status == 0 ? "had exited" : fmt::format("had exited with status {}", status);
}

Finding gone_reader(const WaitGraph& graph, const ChannelRow& channel, const ChannelEnd& writer,
                    std::uint64_t time_ns)
{
    const LifeRow* reader = last_reader(graph, channel, time_ns);
    const LifeRow* life = graph.life(writer.task.tgid);
    const bool killed = life != nullptr && died_of(*life) == kSigpipe;
    Finding made = finding(
        Code::reader_gone,
        killed ? fmt::format("{} was ended by SIGPIPE as it wrote to {}", who(writer.task),
                             which(channel))
               : fmt::format("{} of {} {} of {} to {} failed with EPIPE",
                             grouped(writer.broken), grouped(writer.count),
                             words(channel).put.calls, who(writer.task), which(channel)));
    if (reader != nullptr) {
        made.text += fmt::format(": its last reader, {}, {} {} into the trace.",
                                 who(reader->process), how_it_went(*reader),
                                 into_trace(graph, reader->exit_ns));
        // A reader that had what it wanted, as head does, is nothing to worry about.
        // Nor is one whose end has a finding of its own, as that of its own reader.
        if (reader->exit_code != 0 && died_of(*reader) != kSigpipe && !graph.accused(reader->process.tgid)) {
            made.severity = Severity::warning;
        }
    } else {
        made.text += channel.is_pipe()
            ? fmt::format(": no process had its {} open any more.", words(channel).take.end)
            : ": the other end was closed, or shut down for reading.";
    }
    made.subjects.push_back({writer.task, "writer"});
    if (reader != nullptr) {
        made.subjects.push_back({reader->process, "reader"});
        made.evidence.push_back({"reader_status", std::to_string(reader->exit_code)});
    }
    made.objects.push_back(object_of(channel));
    made.at_ns = time_ns;
    made.evidence.push_back({"failed", std::max<std::uint64_t>(writer.broken, 1)});
    return made;
}

}  // namespace

void find_gone_readers(const WaitGraph& graph, Findings& findings)
{
    for (const ChannelRow& channel : graph.report().channels) {
        for (const ChannelEnd& writer : channel.writers) {
            if (const std::uint64_t time_ns = found_none_ns(graph, writer); time_ns != 0) {
                findings.push_back(gone_reader(graph, channel, writer, time_ns));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
