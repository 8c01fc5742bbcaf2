// SPDX-License-Identifier: GPL-2.0-only
// The stop of a systemd unit: one finding of all its processes.
#include <gtest/gtest.h>

#include "death_sentences.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

constexpr std::uint32_t kManager = 9;

/// The manager, in a unit of its own, and three processes of app.service.
struct Unit : DeathStory {
    explicit Unit(std::string_view path = "/system.slice/app.service")
    {
        process(kManager, "systemd");
        process(8, "worker");
        for (const auto& [tgid, name] :
             {std::pair{kShell, "bash"}, std::pair{kApp, "app"}, std::pair{8u, "worker"}}) {
            move_to(70, path);
            look_up(900, tgid, name, 1);
        }
        move_to(71, "/init.scope");
        look_up(900, kManager, "systemd", 0);
    }
    void end(std::uint64_t ms, std::uint32_t tgid, int code)
    {
        exit(ms, tgid, code);
        reap(ms, tgid);
    }
};

TEST(UnitShutdown, IsOneFindingOfAllItsProcesses)
{
    Unit life;
    life.send(1000, kManager, kShell, kTerm);
    life.send(1000, kManager, kApp, kTerm, kBlocked);
    life.send(1000, kManager, 8, kTerm, kHandled);
    life.end(1001, kShell, 15);
    life.take(1002, 8, kTerm);
    life.end(1400, 8, 0);
    life.send(3000, kManager, kApp, kKill);
    life.end(3001, kApp, 9);
    EXPECT_EQ(life.text(4000),
              "unit-shutdown: SIGTERM from 9 (systemd) to 6 (app): it blocks SIGTERM, which stayed "
              "pending. SIGKILL ended it 2.00 s later. SIGTERM went to 2 more processes of "
              "app.service: it ended 5 (bash) at once. 8 (worker) ran its handler at 1.00 s; it "
              "was gone 400 ms after the signal.");
    const Finding made = life.found(4000).at(0);
    ASSERT_EQ(made.subjects.size(), 4u);
    EXPECT_EQ(made.subjects[2].role, "inside");
}

/// They are counted as the others are that got the signal.
TEST(UnitShutdown, ThoseThatExitByThemselvesAtOnce)
{
    Unit life;
    life.move_to(70, "/system.slice/app.service");
    for (const std::uint32_t pid : {20u, 21u}) {
        life.process(pid, "prefork");
        life.look_up(900, pid, "prefork", 1);
    }
    life.send(1000, kManager, kApp, kTerm, kBlocked);
    life.send(1000, kManager, kShell, kTerm);
    for (const std::uint32_t pid : {8u, 20u, 21u}) {
        life.send(1000, kManager, pid, kTerm, kHandled);
        life.take(1001, pid, kTerm);
    }
    life.end(1002, kShell, 15);
    for (const std::uint32_t pid : {8u, 20u, 21u}) {
        life.end(1010, pid, pid == 8 ? 11 : 0);   // one ends by something else
    }
    life.send(3000, kManager, kApp, kKill);
    life.end(3001, kApp, 9);
    EXPECT_NE(life.text(4000).find("SIGTERM went to 4 more processes of app.service: it ended 5 (bash) at "
                                   "once. 20 (prefork), 21 (prefork) exited by themselves at once."),
              std::string::npos)
        << life.text(4000);
}

TEST(UnitShutdown, WhatGotSigkillAlone)
{
    Unit life;
    life.send(1000, kManager, kApp, kTerm, kBlocked);
    life.send(3000, kManager, kApp, kKill);
    life.send(3000, kManager, 8, kKill);
    life.end(3001, kApp, 9);
    life.end(3001, 8, 9);
    EXPECT_NE(life.text(4000).find("SIGKILL ended it 2.00 s later. 8 (worker) of app.service got "
                                   "SIGKILL and no SIGTERM before."),
              std::string::npos)
        << life.text(4000);
}

/// The main process forwards SIGTERM to its worker, which stays: SIGKILL is not all that it got.
TEST(UnitShutdown, WhatGotTheSignalFromAnotherHasAFindingOfItsOwn)
{
    Unit life;
    life.send(1000, kManager, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.send(1010, kApp, 8, kTerm, kHandled);
    life.take(1010, 8, kTerm);
    life.end(1600, kApp, 0);
    life.send(1700, kManager, 8, kKill);
    life.end(1701, 8, 9);
    const std::string text = life.text(4000);
    EXPECT_EQ(text.find("no SIGTERM before"), std::string::npos) << text;
    EXPECT_NE(text.find("SIGTERM from 6 (app) to 8 (worker): it ran its handler"), std::string::npos)
        << text;
}

/// The unit was started again meanwhile.
TEST(UnitShutdown, TwoStopsAreTwoFindings)
{
    Unit life;
    life.send(1000, kManager, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.end(1300, kApp, 0);
    life.send(2000, kManager, 8, kTerm, kHandled);
    life.take(2000, 8, kTerm);
    life.end(2500, 8, 0);
    const Findings found = life.found(4000);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].code, Code::slow_exit);
    EXPECT_EQ(found[1].code, Code::slow_exit);
}

TEST(UnitShutdown, AContainerWithoutAPidNamespace)
{
    Unit life("/system.slice/docker-"
              "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d.scope");
    life.send(1000, kManager, kApp, kTerm, kBlocked);
    life.send(1000, kManager, 8, kTerm);
    life.end(1001, 8, 15);
    life.send(3000, kManager, kApp, kKill);
    life.end(3001, kApp, 9);
    const std::string text = life.text(4000);
    EXPECT_TRUE(text.starts_with("container-shutdown: ")) << text;
    EXPECT_NE(text.find("1 more process of docker container 9ec39b91f3d7: it ended 8 (worker) at "
                        "once."),
              std::string::npos)
        << text;
}

TEST(UnitShutdown, OneThatNeverEndedIsAnError)
{
    Unit life;
    life.send(1000, kManager, kApp, kTerm, kBlocked);
    life.send(1000, kManager, 8, kTerm, kHandled);
    life.take(1000, 8, kTerm);
    life.end(3900, 8, 0);
    life.look(3900, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "hrtimer_nanosleep");
    const Findings found = life.found(3901);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, Code::unit_shutdown);
    EXPECT_EQ(found[0].severity, Severity::error);
}

// A shell in the same session that ends its jobs stops no unit.
TEST(UnitShutdown, ASenderOfTheSameUnitHasAFindingForEach)
{
    Unit life("/user.slice/user-1000.slice/session-3.scope");
    life.send(1000, kShell, kApp, kTerm, kBlocked);
    life.send(1000, kShell, 8, kTerm, kHandled);
    life.take(1000, 8, kTerm);
    life.end(1500, 8, 0);
    life.send(3000, kShell, kApp, kKill);
    life.end(3001, kApp, 9);
    EXPECT_EQ(life.found(4000).size(), 2u);
}

TEST(UnitShutdown, OneSlowProcessOfAUnitIsAsWithoutOne)
{
    Unit life;
    life.send(1000, kManager, kApp, kTerm, kBlocked);
    life.send(3000, kManager, kApp, kKill);
    life.end(3001, kApp, 9);
    EXPECT_EQ(life.found(4000).at(0).code, Code::signal_blocked);
}

}  // namespace
}  // namespace ipcscope::diagnose
