// SPDX-License-Identifier: GPL-2.0-only
// Filters work in the kernel: what passes is shown, the rest is counted.
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <variant>

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "show.hpp"

namespace ipcscope::conformance {
namespace {

bool wait_for(const std::string& path, const std::string& text)
{
    for (int tries = 0; tries < 1500; tries++) {
        struct stat info {};
        if (stat(path.c_str(), &info) == 0 &&
            (text.empty() || read_file(path).find(text) != std::string::npos)) {
            return true;
        }
        const timespec nap{0, 20'000'000};
        nanosleep(&nap, nullptr);
    }
    ADD_FAILURE() << "no " << path << " " << text;
    return false;
}

/// The family of tasks of the workload filter_tree, traced under a filter.  The
/// traced command is only a gate: it exists once the hooks are attached.
class Filtered {
public:
    using Options = std::function<Words(std::uint64_t pid, std::uint64_t tid)>;

    explicit Filtered(const Options& options, const std::string& cgroup = {})
    {
        const std::string directory = scratch();
        Settings settings;
        settings.facts = directory + "/facts";
        Process family(workload_words("filter_tree", {directory}), settings);
        if (!wait_for(settings.facts, "family")) {
            return;
        }
        const Facts first = Facts::load(settings.facts);
        if (!cgroup.empty()) {
            std::ofstream(cgroup + "/cgroup.procs") << family.pid();
        }
        const Words words = options(first.at("family", 0), first.at("family", 1));
        trace = record_workload(words, "gate", {directory});
        family.signal(SIGKILL);
        family.wait();
        facts = Facts::load(settings.facts);
        expect_lossless(trace);
    }

    /// Writes shown of the process of fact `name`.
    std::size_t writes(const std::string& name) const
    {
        return select<decode::Call>(trace.capture, [&](auto& event, auto& body) {
                   return body.op == IPCSCOPE_OP_WRITE && event.task.tgid == facts.at(name);
               }).size();
    }
    std::uint64_t shown(unsigned kind) const { return trace.capture.decoded[kind]; }
    std::uint64_t filtered(unsigned kind) const { return trace.capture.filtered(kind); }

    /// The family makes 60 round trips: 13 by the process, 11 by its thread, 17
    /// by its child, 19 by its grandchild.
    void expect_round_trips(std::uint64_t expected) const
    {
        for (unsigned op : {IPCSCOPE_OP_READ, IPCSCOPE_OP_WRITE}) {
            EXPECT_EQ(select<decode::Call>(trace.capture, [&](auto&, auto& body) {
                          return body.op == op;
                      }).size(), expected) << op;
        }
        EXPECT_EQ(shown(IPCSCOPE_CALL_PIPE), 2 * expected);
        EXPECT_EQ(filtered(IPCSCOPE_CALL_PIPE), 2 * (60 - expected));
    }

    Trace trace;
    Facts facts;
};

TEST(Filters, Pid)
{
    const Filtered run([](auto pid, auto) { return Words{"--pid", std::to_string(pid)}; });
    run.expect_round_trips(13 + 11);
    EXPECT_EQ(run.writes("family"), 24u);
    EXPECT_EQ(generated(run.trace.capture, run.facts.at("family"), run.facts.at("family"), 10).size(), 7u);
    EXPECT_EQ(generated(run.trace.capture, run.facts.at("family"), run.facts.at("family"), 12).size(), 5u);
}

TEST(Filters, Tid)
{
    const Filtered run([](auto, auto tid) { return Words{"--tid", std::to_string(tid)}; });
    run.expect_round_trips(11);
    // 7 and 5 that the process sends to itself by its main thread.
    EXPECT_EQ(generated(run.trace.capture, 0, run.facts.at("family"), 0).size(), 0u);
    EXPECT_GE(run.filtered(IPCSCOPE_SIGNAL_GENERATE), 12u);
}

TEST(Filters, Comm)
{
    const Filtered run([](auto, auto) {
        return Words{"-a", "--comm", "kid", "--comm", "root-task"};
    });
    run.expect_round_trips(13 + 17);
}

TEST(Filters, Follow)
{
    const Filtered run([](auto pid, auto) {
        return Words{"--pid", std::to_string(pid), "-f"};
    });
    run.expect_round_trips(60);
    EXPECT_EQ(run.writes("kid"), 17u);
}

TEST(Filters, Cgroup)
{
    const std::string outer = make_cgroup("conformance"), inner = make_cgroup("conformance/inner");
    const Filtered below([&](auto, auto) { return Words{"-a", "--cgroup", outer}; }, inner);
    below.expect_round_trips(60);
}

/// Of the command, too, those that match are wanted, and none beside them.
TEST(Filters, CommOfACommand)
{
    const Words command{"sh", "-c", "seq 5 | cat >/dev/null; seq 5 | tail -n 1; :"};
    const Trace trace = record({"--comm", "cat", "--comm", "tail"}, command);
    expect_lossless(trace);
    std::set<std::string> names;
    for (const decode::Event& event : trace.capture.events) {
        if (std::holds_alternative<decode::Call>(event.body)) {
            names.insert(event.task.comm.text().str());
        }
    }
    EXPECT_EQ(names, (std::set<std::string>{"cat", "tail"}));
    EXPECT_GE(trace.capture.filtered(IPCSCOPE_CALL_PIPE), 2u);   // of the two seq
}

TEST(Filters, AllMustMatch)
{
    const Filtered run([](auto pid, auto) {
        return Words{"--pid", std::to_string(pid), "--comm", "second"};
    });
    run.expect_round_trips(11);
}

TEST(Filters, Signal)
{
    const Filtered run([](auto pid, auto) {
        return Words{"--pid", std::to_string(pid), "--signal", "USR1", "-s", "34"};
    });
    const Capture& seen = run.trace.capture;
    EXPECT_EQ(run.shown(IPCSCOPE_SIGNAL_GENERATE), 7u);
    EXPECT_EQ(generated(seen, run.facts.at("family"), run.facts.at("family"), 10).size(), 7u);
    // Its 5 SIGUSR2, SIGCHLD of kid and grandkid, and of the gate.
    EXPECT_EQ(run.filtered(IPCSCOPE_SIGNAL_GENERATE), 8u);
}

}  // namespace
}  // namespace ipcscope::conformance
