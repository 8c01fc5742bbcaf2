// SPDX-License-Identifier: GPL-2.0-only
// views_samples DIRECTORY: writes story.ipcs, a capture of a story with findings, whose names
// and command are hostile, and ipcscope.prom, as stat --prom writes it.
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "../unit/exports/story.hpp"
#include "base/atomic_file.hpp"
#include "capture/capture.hpp"
#include "render/stat.hpp"

namespace {

using namespace ipcscope;

bool write_capture(const std::string& path)
{
    auto writer = capture::Writer::create(path, true);
    if (!writer) {
        return false;
    }
    source::Host host;
    host.kernel = "6.12";
    host.hostname = "<script>alert(1)</script>";
    host.command = {"sh", "-c", "\"'<img src=x onerror=alert(2)>"};
    host.cpus = 4;
    host.start_ns = exports::test::kStart_ns;
    if (!(*writer)->host(host)) {
        return false;
    }
    exports::test::story(**writer, {"wr<b>\"it&er", "re'a</td>der", "k;\x1b[31m\niller"});
    return !testing::Test::HasFailure();
}

bool write_metrics(const std::string& path)
{
    aggregate::StatReport report;
    report.by = IPCSCOPE_STAT_BY_COMM;
    report.host = {.kernel = "6.12", .backend = "bpf", .tool_version = "1"};
    report.start_ns = 1;
    report.max_rows = 256;
    for (const char* name : {"plain", "hos\"tile\\\n{}", "\xff<b>"}) {
        aggregate::StatLine sent, taken, read;
        sent.key.event = IPCSCOPE_STAT_EVENT(IPCSCOPE_SIGNAL_GENERATE, 15, 0);
        taken.key.event = IPCSCOPE_STAT_EVENT(IPCSCOPE_SIGNAL_TAKE, 15, IPCSCOPE_TAKE_HANDLER);
        read.key.event = IPCSCOPE_STAT_EVENT(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, 0);
        sent.count = 17;
        taken.count = read.count = 3;
        for (const std::uint64_t ns : {500u, 5'000'000u, 2'000'000'000u}) {
            taken.latency.add(ns);
            read.latency.add(ns);
        }
        read.bytes = 12'288;
        for (aggregate::StatLine* line : {&sent, &taken, &read}) {
            line->name = SafeText::escape(name);
            report.lines.push_back(*line);
        }
    }
    auto file = AtomicFile::create(path, 0644);
    return file && file->write(render::stat_prom(report)) && file->commit();
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "views_samples DIRECTORY\n");
        return 2;
    }
    const std::string directory = argv[1];
    return write_capture(directory + "/story.ipcs") && write_metrics(directory + "/ipcscope.prom")
               ? 0 : 1;
}
