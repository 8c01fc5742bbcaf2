// SPDX-License-Identifier: GPL-2.0-only
#include "sample.hpp"

namespace ipcscope::sample {
namespace {

constexpr std::uint64_t kMax = UINT64_MAX;

/// The widest that 16 bytes can become: 16 escapes, and wide characters.
decode::Task widest(unsigned which)
{
    static constexpr std::string_view kNames[] = {
        "漢字漢字漢", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "\x1b[31m\x07\n\r\t\x80\x9b", "a b c d e f g h ", "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
        "\xe2\x80\xae\xe2\x80\xae", "",
    };
    return {4'194'303 - which, 4'194'304, SafeText::escape(kNames[which % 7])};
}

Histogram wide_histogram()
{
    Histogram histogram;
    histogram.add(0);
    histogram.add(1);
    histogram.add(kMax);
    return histogram;
}

aggregate::PipeSide side()
{
    return {kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax,
            wide_histogram()};
}

correlate::KillInterval kill(unsigned which)
{
    correlate::KillInterval kill;
    kill.signal = 49;
    kill.sender = widest(which);
    kill.target = widest(which + 1);
    kill.origin = static_cast<decode::Origin>(which % 3);
    kill.state = static_cast<decode::State>(which % 11);
    kill.stuck_threads = UINT32_MAX;
    kill.repeats = UINT32_MAX;
    kill.stack.assign(which % 33, std::string(200, 'f') + "+0x1/0x2");
    if (which % 2 != 0) kill.gone_ns = kMax;
    if (which % 4 == 3) kill.reaped_ns = kMax;
    return kill;
}

aggregate::SignalRow row(unsigned which)
{
    aggregate::SignalRow row;
    row.signal = which % 2 != 0 ? 49 : 15;
    row.sender = widest(which);
    row.target = widest(which / 2);
    row.origin = static_cast<decode::Origin>(which % 3);
    row.outcomes.fill(kMax);
    row.to_handler = row.by_default = row.accepted = row.died = kMax;
    row.pending = row.target_exited = row.unseen = row.flushed = row.to_unkillable = kMax;
    row.last_ns = which % 2 != 0 ? kMax : 0;
    row.latency = wide_histogram();
    return row;
}

aggregate::PipeRow pipe(unsigned which)
{
    aggregate::PipeRow pipe;
    pipe.fifo = which % 2 != 0;
    pipe.inode = kMax;
    pipe.dev = UINT32_MAX;
    pipe.path = pipe.fifo ? std::string(300, 'p') : "";
    pipe.ring_slots = which % 3 == 0 ? 16 : 999'999;
    pipe.last_ns = which % 5 == 0 ? 0 : kMax;
    pipe.reads = pipe.writes = side();
    pipe.full_ns = pipe.empty_ns = kMax;
    // 999,999 is the widest count that is shown in full.
    pipe.writes.count = pipe.reads.count = 999'999;
    pipe.reads.bytes = pipe.writes.bytes = 1023ull << 50;
    pipe.occupancy.fill(kMax);
    for (unsigned at = 0; at < 6; at++) {
        pipe.readers.push_back({widest(at), kMax, kMax, kMax, false});
        pipe.writers.push_back({widest(at + 1), kMax, kMax, kMax, which % 2 != 0});
    }
    return pipe;
}

aggregate::Pipeline pipeline(unsigned stages)
{
    aggregate::Pipeline pipeline;
    for (unsigned at = 0; at < stages; at++)
        pipeline.stages.push_back({widest(at), {kMax, kMax}, {kMax}, kMax, kMax, kMax, kMax, at});
    if (stages != 0) pipeline.bottleneck = stages / 2;
    return pipeline;
}

}  // namespace

aggregate::Report extreme()
{
    aggregate::Report report = empty();
    report.host.hostname = std::string(300, 'h');
    report.host.kernel = "\x1b]0;owned\x07";
    report.host.cpus = UINT32_MAX;
    report.host.command = {"sh", "-c", "\xff\x00\x9b", std::string(500, 'c')};
    report.host.filters = {"--comm=漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"};
    report.host.start_ns = 0;
    report.end_ns = kMax;
    report.complete = false;
    report.incomplete_why = std::string(200, '\x1b');
    for (unsigned at = 0; at < 45; at++) {
        report.kills.push_back(kill(at));
        report.signals.push_back(row(at));
        report.pipes.push_back(pipe(at));
        report.pipelines.push_back(pipeline(at));
        report.loss.by_cpu.push_back({UINT32_MAX, "capture_damaged", "signal_generate", kMax});
    }
    for (auto& cause : report.loss.lost) cause.count = kMax;
    report.calls = {{"get_signal", kMax, wide_histogram()}};
    report.orphans_group_exit = report.orphans_unknown = kMax;
    report.loss.generated = report.loss.shown = report.loss.filtered = kMax;
    report.loss.malformed = report.loss.late = kMax;
    report.loss.exact = false;
    return report;
}

}  // namespace ipcscope::sample
