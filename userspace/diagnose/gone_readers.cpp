// SPDX-License-Identifier: GPL-2.0-only
// Who was ended by SIGPIPE, or got EPIPE, and whose end of the pipe was gone?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/pipe_kinds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LifeRow;
using aggregate::PipeEndRow;
using aggregate::PipeRow;

constexpr unsigned kSigpipe = 13;

unsigned died_of(const LifeRow& life)
{
    return life.exit_ns != 0 ? decode::ended_by(life.exit_code) : 0;
}

/// The reader that was the last to go; nullptr where not all are known to be gone.
const LifeRow* last_reader(const WaitGraph& graph, const PipeRow& pipe)
{
    const LifeRow* last = nullptr;
    if (!pipe.reads.traced || !graph.complete()) {
        return nullptr;
    }
    for (const PipeEndRow& reader : pipe.readers) {
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

Finding gone_reader(const WaitGraph& graph, const PipeRow& pipe, const PipeEndRow& writer,
                    const LifeRow* reader)
{
    const LifeRow* life = graph.life(writer.task.tgid);
    const bool killed = life != nullptr && died_of(*life) == kSigpipe;
    Finding made = finding(
        Code::reader_gone,
        killed ? fmt::format("{} was ended by SIGPIPE as it wrote to {}", who(writer.task),
                             which(pipe))
               : fmt::format("{} of {} writes of {} to {} failed with EPIPE",
                             grouped(writer.broken), grouped(writer.count), who(writer.task),
                             which(pipe)));
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
        made.text += ": no process had its read end open any more.";
    }
    made.subjects.push_back({writer.task, "writer"});
    if (reader != nullptr) {
        made.subjects.push_back({reader->process, "reader"});
        made.evidence.push_back({"reader_status", std::to_string(reader->exit_code)});
    }
    made.objects.push_back(object_of(pipe));
    made.at_ns = writer.last_call_ns;
    made.evidence.push_back({"failed", writer.broken});
    return made;
}

}  // namespace

void find_gone_readers(const WaitGraph& graph, Findings& findings)
{
    for (const PipeRow& pipe : graph.report().pipes) {
        for (const PipeEndRow& writer : pipe.writers) {
            if (writer.broken != 0) {
                findings.push_back(
                    gone_reader(graph, pipe, writer, last_reader(graph, pipe)));
            }
        }
    }
}

}  // namespace ipcscope::diagnose
