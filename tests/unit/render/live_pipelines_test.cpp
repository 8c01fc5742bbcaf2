// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "render/layout.hpp"
#include "render/render.hpp"
#include "sample.hpp"

namespace ipcscope {
namespace {

using diagnose::LiveLink;
using diagnose::LivePipeline;
using diagnose::LiveStage;

constexpr std::uint64_t kSecond = 1'000'000'000;

std::vector<LivePipeline> one()
{
    LiveLink link;
    link.channel.object = 12345;
    link.type = decode::ObjectType::pipe;
    link.over_ns = kSecond;
    link.bytes = 3u << 20;
    link.full_ns = kSecond * 8 / 10;
    link.readers = {sample::task(11, "wc")};
    LiveStage source;
    source.task = sample::task(10, "yes");
    source.over_ns = kSecond;
    source.output_ns = kSecond * 8 / 10;
    source.wait = LiveStage::Wait{sample::task(11, "wc"), kSecond * 8 / 10};
    source.writes = {link};
    LiveStage sink;
    sink.task = sample::task(11, "wc");
    sink.slow = true;
    sink.quiet_ns = 3 * kSecond;
    return {{{source, sink}, link.bytes}};
}

TEST(LivePipelines, AStageOrAPipeALine)
{
    EXPECT_EQ(render::pipelines_page(one(), 5 * kSecond, 3 * kSecond, 0, {}),
              "2.000000 s: 1 pipeline\n"
              "  yes/10                waits: input 0 %, room 80 %, most for wc/11\n"
              "   │ pipe 12345            3.00 MiB/s full 80 %  empty 0 %   → wc/11\n"
              "  wc/11            slow no call has ended for 3.00 s\n"
              "\n");
}

TEST(LivePipelines, AllTheTimeIsNotCut)
{
    auto pipelines = one();
    LiveLink& link = pipelines[0].stages[0].writes[0];
    link.full_ns = link.empty_ns = link.over_ns;
    const std::string page = render::pipelines_page(pipelines, 1, 1, 0, {});
    EXPECT_NE(page.find(" full 100 % empty 100 % → wc/11\n"), std::string::npos) << page;
}

TEST(LivePipelines, WhatAQuietStageIsIn)
{
    auto pipelines = one();
    LiveStage& sink = pipelines[0].stages[1];
    const auto last_line = [&] {
        std::string page = render::pipelines_page(pipelines, 1, 1, 0, {});
        page.erase(page.size() - 2);
        return page.substr(page.rfind('\n') + 1);
    };
    const std::string head = "  wc/11            slow quiet for 3.00 s, in ";
    sink.doing = LiveStage::Doing{"read", 0, 12345};
    EXPECT_EQ(last_line(), head + "read of pipe 12345");
    sink.doing = LiveStage::Doing{"ppoll", 271, 0};
    EXPECT_EQ(last_line(), head + "ppoll");
    sink.doing = LiveStage::Doing{"", 230, 0};
    EXPECT_EQ(last_line(), head + "system call 230");
    sink.doing = LiveStage::Doing{};
    EXPECT_EQ(last_line(), head + "no system call");
    sink.doing.reset();
    sink.ended = true;
    EXPECT_EQ(last_line(), "  wc/11            slow ended");
}

TEST(LivePipelines, NoLineIsTooWide)
{
    auto pipelines = one();
    for (LiveStage& stage : pipelines[0].stages) {
        stage.task = stage.wait.emplace().whom = {UINT32_MAX, UINT32_MAX, Comm("\x1b[2J漢字漢字")};
        for (LiveLink& link : stage.writes) {
            link.channel.object = UINT64_MAX;
            link.readers.assign(9, stage.task);
            link.bytes = UINT64_MAX;
        }
    }
    for (const bool wide : {false, true}) {
        render::LiveOptions options;
        options.wide = wide;
        std::string page = render::pipelines_page(pipelines, UINT64_MAX, 0, 0, options);
        EXPECT_EQ(page.find('\x1b'), std::string::npos);
        for (std::size_t at = 0; at < page.size();) {
            const std::size_t end = page.find('\n', at);
            EXPECT_LE(render::columns(page.substr(at, end - at)), wide ? 119u : 79u);
            at = end + 1;
        }
    }
}

TEST(LivePipelines, OnlySoMany)
{
    auto pipelines = one();
    pipelines.resize(3, pipelines[0]);
    const std::string page = render::pipelines_page(pipelines, 1, 1, 1, {});
    EXPECT_NE(page.find("3 pipelines"), std::string::npos);
    EXPECT_NE(page.find("… 2 more (--top=0 shows all)"), std::string::npos);
}

}  // namespace
}  // namespace ipcscope
