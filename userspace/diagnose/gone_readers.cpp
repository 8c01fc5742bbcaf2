// SPDX-License-Identifier: GPL-2.0-only
// Who was ended by SIGPIPE, or got EPIPE, and whose end of the pipe was gone?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
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

/// The reader that was the last to go; nullptr where not all are known to be gone.
const LifeRow* last_reader(const WaitGraph& graph, const ChannelRow& channel)
{
    const LifeRow* last = nullptr;
    if (!channel.reads.traced || !graph.complete()) {
        return nullptr;
    }
    for (const ChannelEnd& reader : channel.readers) {
        const LifeRow* life = graph.life(reader.task.tgid);
        if (life == nullptr || life->exit_ns == 0) {
            continue;   // it closed its end, and lives on
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
                    const LifeRow* reader)
{
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
        // Nor is one whose end has a finding of its own.
        if (reader->exit_code != 0 && !graph.accused(reader->process.tgid)) {
            made.severity = Severity::warning;
        }
    } else {
        made.text += fmt::format(": no process had its {} open any more.", words(channel).take.end);
    }
    made.subjects.push_back({writer.task, "writer"});
    if (reader != nullptr) {
        made.subjects.push_back({reader->process, "reader"});
        made.evidence.push_back({"reader_status", std::to_string(reader->exit_code)});
    }
    made.objects.push_back(object_of(channel));
    made.at_ns = writer.last_call_ns;
    made.evidence.push_back({"failed", writer.broken});
    return made;
}

}  // namespace

void find_gone_readers(const WaitGraph& graph, Findings& findings)
{
    for (const ChannelRow& channel : graph.report().channels) {
        for (const ChannelEnd& writer : channel.writers) {
            if (writer.broken != 0) {
                findings.push_back(
                    gone_reader(graph, channel, writer, last_reader(graph, channel)));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
