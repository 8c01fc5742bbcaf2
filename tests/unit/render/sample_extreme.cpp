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
    return {4'194'303 - which, 4'194'304, Comm(kNames[which % 7])};
}

Histogram wide_histogram()
{
    Histogram histogram;
    histogram.add(0);
    histogram.add(1);
    histogram.add(kMax);
    return histogram;
}

aggregate::ChannelSide side()
{
    return {{kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax,
             wide_histogram()},
            kMax, kMax, kMax, false};
}

correlate::KillInterval kill(unsigned which)
{
    correlate::KillInterval kill;
    kill.signal = 49;
    kill.sender = widest(which);
    kill.target = widest(which + 1);
    kill.origin = static_cast<decode::Origin>(which % 3);
    kill.state = static_cast<decode::State>(which % IPCSCOPE_STATE_COUNT);
    kill.stuck_threads = UINT32_MAX;
    kill.repeats = UINT32_MAX;
    std::string entry(200, 'f');
    entry += "+0x1/0x2";
    kill.stack.assign(which % 33, SafeText::escape(entry));
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
    row.ends.fill(kMax);
    row.to_unkillable = row.requeued = kMax;
    row.last_ns = which % 2 != 0 ? kMax : 0;
    row.latency = wide_histogram();
    return row;
}

aggregate::ChannelRow pipe(unsigned which)
{
    aggregate::ChannelRow pipe;
    pipe.type = which % 2 != 0 ? decode::ObjectType::fifo : decode::ObjectType::pipe;
    pipe.object = aggregate::object_id(pipe.type, UINT32_MAX, kMax);
    if (which % 2 != 0) pipe.path = SafeText::escape(std::string(300, 'p'));
    pipe.ring_slots = which % 3 == 0 ? 16 : 999'999;
    pipe.last_ns = which % 5 == 0 ? 0 : kMax;
    pipe.reads = pipe.writes = side();
    pipe.full_ns = pipe.empty_ns = kMax;
    // 999,999 is the widest count that is shown in full.
    pipe.writes.count = pipe.reads.count = 999'999;
    pipe.reads.bytes = pipe.writes.bytes = 1023ull << 50;
    pipe.occupancy.fill(kMax);
    for (unsigned at = 0; at < 6; at++) {
        pipe.readers.push_back({widest(at), kMax, kMax, kMax, kMax, false, true});
        pipe.writers.push_back({widest(at + 1), kMax, kMax, kMax, kMax, which % 2 != 0,
                                false});
    }
    return pipe;
}

/// Each part is the whole, which is beyond what can be.
aggregate::Time time(unsigned which)
{
    aggregate::Time time;
    time.span_ns = which % 3 == 0 ? 0 : which % 3 == 1 ? 1 : kMax;
    time.parts_ns.fill(kMax);
    return time;
}

aggregate::Pipeline pipeline(unsigned stages)
{
    aggregate::Pipeline pipeline;
    for (unsigned at = 0; at < stages; at++)
        pipeline.stages.push_back({widest(at), {kMax, kMax}, {kMax}, kMax, kMax, kMax, kMax, at,
                                   time(at)});
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
        report.channels.push_back(pipe(at));
        report.pipelines.push_back(pipeline(at));
        report.processes.push_back({widest(at), kMax, time(at)});
        report.loss.by_cpu.push_back({UINT32_MAX, IPCSCOPE_LOST_DAMAGED,
                                      IPCSCOPE_SIGNAL_GENERATE, kMax});
    }
    report.loss.lost.fill(kMax);
    report.calls = {{aggregate::KernelFunction::get_signal, kMax, wide_histogram()}};
    report.evicted = {kMax, kMax, kMax, kMax, kMax};
    report.orphans_group_exit = report.orphans_unknown = kMax;
    report.loss.generated = report.loss.shown = report.loss.filtered = kMax;
    report.loss.malformed = report.loss.late = kMax;
    report.loss.exact = false;
    return report;
}

}  // namespace ipcscope::sample
