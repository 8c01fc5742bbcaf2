// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../golden.hpp"
#include "render/inspect.hpp"
#include "render/layout.hpp"
#include "schema.hpp"

namespace ipcscope {
namespace {

using namespace inspect;

void expect_golden(const std::string& name, const std::string& actual)
{
    ipcscope::expect_golden(__FILE__, name, actual);
}

Item item(Kind kind, std::uint64_t id, std::vector<std::uint32_t> descriptors, bool reads,
          bool writes, std::string name = {}, State state = {})
{
    Item item;
    item.object = {kind, 0, id};
    item.kind = kind;
    item.descriptors = std::move(descriptors);
    item.reads = reads;
    item.writes = writes;
    item.name = std::move(name);
    item.state = std::move(state);
    return item;
}

Process sample()
{
    Process process;
    process.pid = 3114;
    process.ppid = 3100;
    process.comm = "node";
    process.parent = "bash";
    process.uid = 1000;
    process.cgroup = "/user.slice/a\nb";
    process.tracer = 77;
    process.pending = 1u << 14 | 1u << 9;
    process.ignored = 1u << 12;
    process.caught = 1u << 16;
    process.queued = 3;
    process.queue_limit = 95903;
    process.all_threads = 70;
    process.all_descriptors = 12;
    process.threads = {{3114, "node", 'S', "poll", 7, {0, 5}, "do_sys_poll", 0, 1u << 14},
                       {3115, "worker\x1b[31m", 'S', "futex", 202, {}, "futex_wait_queue", 1u << 9,
                        1u << 14},
                       {3116, "worker", 'D', {}, 17, {}, "io_schedule", 0, 0,
                        {"folio_wait_bit_common", "filemap_read", "vfs_read"}},
                       {3117, "worker", 'R', {}, std::nullopt, {}, "", 0, 1u << 14}};
    Item in = item(Kind::pipe, 52001, {0}, true, false);
    in.waiting = {{3114, "node", "poll"}};
    in.others = {{3113, "gen", {1}, false, true, false, {{3113, "gen", "write"}}},
                 {3112, "sh", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, false, true, false, {}}};
    Item orphan = item(Kind::pipe, 52002, {1, 2}, false, true);
    Item fifo = item(Kind::fifo, 9, {3}, true, false, "/run/a fifo\x80");
    fifo.others = {{3100, "bash", {4}, true, true, false, {}}};
    Item socket = item(Kind::unix_stream, 60001, {5}, true, true, "/run/x.sock",
                       UnixSocket{false, 60002, 4096, 0});
    socket.waiting = {{3115, "worker", "recvmsg"}};
    socket.others = {{3200, "server", {9}, true, true, true,
                      {{3202, "server-io", "send"}}},
                     {3100, "bash", {7}, true, true, false, {}}};
    Item listens = item(Kind::unix_seqpacket, 60003, {6}, true, true,
                        std::string("\0abstract\0x", 11), UnixSocket{true, std::nullopt, 4, 128});
    Item alone = item(Kind::unix_dgram, 60004, {7}, true, true, {},
                      UnixSocket{false, 60005, std::nullopt, 0});
    Item queue = item(Kind::message_queue, 11, {8}, true, false, "/jobs");
    Item event = item(Kind::eventfd, 31, {9}, true, true, {}, Eventfd{7, true});
    Item signals = item(Kind::signalfd, 10, {10}, true, true, {}, Signalfd{1u << 16 | 1u << 14});
    Item epoll = item(Kind::epoll, 11, {11}, true, true, {}, Epoll{{0, 5}});
    Item gone = item(Kind::pidfd, 12, {12}, true, true, {}, Pidfd{-1});
    Item other = item(Kind::pidfd, 13, {13}, true, true, {}, Pidfd{3200});
    Item memory = item(Kind::shared_memory, 2049, {}, true, true, "/dev/shm/ring");
    memory.bytes = 1 << 20;
    for (std::uint32_t pid = 4000; pid < 4010; ++pid) {
        memory.others.push_back({pid, "reader", {}, true, true, false, {}});
    }
    memory.others[0].waiting = {{4000, "reader", "futex"}};
    process.items = {in, orphan, fifo, socket, listens, alone, queue, event,
                     signals, epoll, gone, other, memory};
    process.gaps = {"3 processes whose descriptors may not be listed: what is at an other end may "
                    "be missing: run as root"};
    return process;
}

std::vector<IpcNamespace> spaces()
{
    IpcNamespace own;
    own.id = 4026531839;
    own.own = true;
    own.processes = 212;
    own.first = 1;
    own.comm = "systemd";
    own.queues = {{0, 0x2a, {1000, 0600}, 16, 16384, 16384, {912, "maker"}, {913, ""}},
                  {3, 0, {0, 0644}, 0, 0, 16384, {}, {}}};
    own.sets = {{5, 0x1234, {26, 0600}, 17, {{3, 0, 2, 0, {912, "postgres"}},
                                             {4, 1, 0, 1, {914, ""}}}},
                {6, 0, {0, 0600}, 1, {}}};
    own.segments = {{9, 0x52, {26, 0600}, 56, 6, true, {912, "postgres"}, {913, ""}}};
    own.posix_queues = {{"jobs\x1b", {1000, 0600}, 8192}};
    own.limits = {{"System V message queues", "kernel.msgmni", 2, 32000},
                  {"semaphore sets", "kernel.sem (SEMMNI)", 120, 128},
                  {"semaphores", "kernel.sem (SEMMNS)", 18, 1'024'000'000},
                  {"pages of shared memory", "kernel.shmall", 1, UINT64_MAX - (1 << 24)}};
    IpcNamespace other;
    other.id = 4026532290;
    other.processes = 1;
    other.first = 940;
    other.comm = "sh";
    other.gaps = {"System V objects: its ipc namespace cannot be entered: Operation not permitted"};
    return {own, other};
}

TEST(InspectOutput, Process) { expect_golden("inspect.txt", render::inspect_text(sample(), {})); }

TEST(InspectOutput, ProcessInAscii)
{
    render::TextOptions options;
    options.utf8 = false;
    options.top = 2;
    const std::string text = render::inspect_text(sample(), options);
    expect_golden("inspect-ascii.txt", text);
    for (const char byte : text) {
        ASSERT_TRUE(byte == '\n' || (byte >= ' ' && byte <= '~'));
    }
}

TEST(InspectOutput, Nothing)
{
    Process process;
    process.pid = 1;
    EXPECT_NE(render::inspect_text(process, {}).find("It has no pipe"), std::string::npos);
}

TEST(InspectOutput, Ipc) { expect_golden("inspect-ipc.txt", render::ipc_text(spaces(), {})); }

TEST(InspectOutput, NoLineIsWide)
{
    for (const std::string& text :
         {render::inspect_text(sample(), {}), render::ipc_text(spaces(), {})}) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(render::columns(line), 80u) << line;
        }
    }
}

TEST(InspectOutput, JsonFollowsItsSchema)
{
    for (const std::string& text :
         {render::inspect_json(sample()), render::inspect_json({}), render::ipc_json(spaces())}) {
        EXPECT_EQ(schema::check(nlohmann::json::parse(text), schema::inspect()), "");
    }
}

TEST(InspectOutput, JsonOfAProcess)
{
    const auto json = nlohmann::json::parse(render::inspect_json(sample()));
    EXPECT_EQ(json["signals"]["pending"], (std::vector<std::string>{"SIGUSR1", "SIGTERM"}));
    EXPECT_EQ(json["threads"][1]["comm"], "worker\\x1b[31m");
    EXPECT_EQ(json["objects"][0]["others"][0]["waiting"][0]["call"], "write");
    EXPECT_EQ(json["objects"][3]["state"]["peer"], 60002);
    EXPECT_EQ(json["objects"][4]["name"], "\\x00abstract\\x00x");
}

}  // namespace
}  // namespace ipcscope
