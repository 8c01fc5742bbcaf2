// SPDX-License-Identifier: GPL-2.0-only
// Whose children the senders and targets of signals were, at that moment.
#include <gtest/gtest.h>

#include "deaths.hpp"

namespace ipcscope::aggregate::test {
namespace {

constexpr unsigned kFork = IPCSCOPE_THREAD_FORK, kExec = IPCSCOPE_THREAD_EXEC;

/// "kill(8) bash(7) init(1)", "!" behind what has ended, "?" where it goes on unknown.
std::string line(const Lineage& lineage)
{
    std::string text;
    for (const Ancestor& ancestor : lineage.ancestors) {
        text += (text.empty() ? "" : " ") + name(ancestor.task) + "(" +
                std::to_string(ancestor.task.tgid) + ")" + (ancestor.ended ? "!" : "");
    }
    return lineage.whole ? text : text + " ?";
}

Lineage last_of(const Life& life, std::uint32_t tgid)
{
    Lineage found;
    for (const Lineage& lineage : life.report(9000).lineages) {
        if (lineage.tgid == tgid) {
            found = lineage;
        }
    }
    return found;
}

struct Family : Life {
    explicit Family(std::vector<std::string> filters = {}) : Life(std::move(filters))
    {
        process(1, "init");
        process(7, "bash", 1);
        process(20, "app", 1);
    }
};

TEST(Lineage, GoesUpToInit)
{
    Family life;
    life.process(8, "bash", 7, 100, kFork);
    life.process(8, "kill", 7, 101, kExec);
    life.send(110, 8, 20, kKill);
    EXPECT_EQ(line(last_of(life, 8)), "bash(7) init(1)");
    EXPECT_EQ(line(last_of(life, 20)), "init(1)");
}

TEST(Lineage, IsThatOfTheMomentOfSending)
{
    Family life;
    life.process(8, "sh", 7, 100, kFork);
    life.process(9, "kill", 8, 101, kFork);
    life.send(110, 9, 20, kTerm);
    life.exit(120, 8, 0);
    life.send(130, 9, 20, kTerm);
    const auto all = life.report(9000).lineages;
    const auto first = std::ranges::find(all, 9u, &Lineage::tgid);
    ASSERT_NE(first, all.end());
    EXPECT_EQ(line(*first), "sh(8) bash(7) init(1)");
    EXPECT_EQ(first->at_ns, Life::ns(110));
    EXPECT_EQ(line(last_of(life, 9)), "sh(8)! bash(7) init(1)");
    EXPECT_EQ(last_of(life, 9).at_ns, Life::ns(130));
}

TEST(Lineage, AParentThatEndedBeforeIsNotThatOfProc)
{
    Family life;
    life.process(8, "sh", 7, 100, kFork);
    life.process(9, "daemon", 8, 101, kFork);
    life.exit(105, 8, 0);
    life.look_up(110, 9, "daemon", 1);
    life.send(110, 9, 20, kTerm);
    EXPECT_EQ(line(last_of(life, 9)), "init(1)");
}

TEST(Lineage, AParentThatEndedAfterItIsStillTheOne)
{
    // /proc is read later than the signal was sent: the parent had ended by then.
    Family life;
    life.process(8, "sh", 7, 100, kFork);
    life.process(9, "kill", 8, 101, kFork);
    life.look_up(110, 9, "kill", 1);
    life.send(110, 9, 20, kTerm);
    life.exit(111, 8, 0);
    EXPECT_EQ(line(last_of(life, 9)), "sh(8) bash(7) init(1)");
}

TEST(Lineage, OfOneOutsideOfTheFilterProcSays)
{
    Life life({"--pid=20"});
    life.process(20, "app", 1);
    life.look_up(110, 8, "kill", 7, "kill -9 20");
    life.look_up(110, 7, "bash", 1);
    life.look_up(110, 1, "init", 0);
    life.send(110, 8, 20, kKill);
    EXPECT_EQ(line(last_of(life, 8)), "bash(7) init(1)");
    EXPECT_EQ(last_of(life, 8).command.str(), "kill -9 20");
}

TEST(Lineage, StopsWhereNothingIsKnown)
{
    Life life({"--pid=20"});
    life.process(20, "app", 1);
    life.process(8, "kill", 7, 110, IPCSCOPE_THREAD_SEEN);
    life.send(110, 8, 20, kKill);
    EXPECT_EQ(line(last_of(life, 8)), "(7) ?");
    EXPECT_EQ(line(last_of(life, 20)), "(1) ?");
    EXPECT_FALSE(last_of(life, 99).known);
}

TEST(Lineage, ANumberThatIsUsedAgainIsAnother)
{
    Family life;
    life.process(8, "sh", 7, 100, kFork);
    life.look_up(110, 8, "sh", 7, "sh -c 'kill 20'");
    life.send(110, 8, 20, kTerm);
    life.exit(120, 8, 0);
    life.process(8, "other", 1, 200, kFork);
    life.send(210, 8, 20, kTerm);
    EXPECT_EQ(line(last_of(life, 8)), "init(1)");
    EXPECT_EQ(last_of(life, 8).command.str(), "");
}

TEST(Lineage, ACircleEnds)
{
    Life life;
    life.process(8, "a", 9);
    life.process(9, "b", 8);
    life.send(10, 8, 9, kTerm);
    EXPECT_FALSE(last_of(life, 8).whole);
    EXPECT_EQ(last_of(life, 8).ancestors.size(), 32u);
}

TEST(Lineage, HasTheUsersName)
{
    Life life;
    life.uid = 1000;
    life.process(8, "kill");
    life.uid = 1001;
    life.process(9, "app");
    life.user(1000, "ann");
    life.send(10, 8, 9, kTerm);
    EXPECT_EQ(last_of(life, 8).user.str(), "ann");
    EXPECT_EQ(last_of(life, 9).user.str(), "");
    EXPECT_EQ(last_of(life, 9).uid, 1001u);
}

TEST(Lineage, AUserThatChangesIsKnownByProc)
{
    Family life;
    life.process(8, "daemon", 7, 100, kFork);
    life.uid = 33;
    life.look_up(110, 8, "daemon", 7);
    life.send(110, 8, 20, kTerm);
    EXPECT_EQ(last_of(life, 8).uid, 33u);
    EXPECT_EQ(line(last_of(life, 8)), "bash(7) init(1)");
}

TEST(Lineage, TheCommandLineOfALaterProgramIsNotTold)
{
    // The sender has executed another one before /proc was read.
    Family life;
    life.process(8, "bash", 7, 100, kFork);
    life.look_up(110, 8, "sleep", 7, "sleep 3");
    life.process(8, "bash", 7, 110, IPCSCOPE_THREAD_SEEN);
    life.send(110, 8, 20, kTerm);
    EXPECT_EQ(last_of(life, 8).command.str(), "");
    EXPECT_EQ(line(last_of(life, 8)), "bash(7) init(1)");
}

TEST(Lineage, OfAHandledUsr1ThereIsNone)
{
    Family life;
    life.send(10, 7, 20, 10, {.disposition = IPCSCOPE_DISPOSITION_HANDLER});
    life.send(11, 7, 20, kStop);
    ASSERT_EQ(life.report(100).lineages.size(), 2u);
    EXPECT_EQ(life.report(100).lineages[0].at_ns, Life::ns(11));
}

TEST(Lineage, BystandersHaveNone)
{
    Family life;
    life.send(10, 7, 20, kKill, {.origin = IPCSCOPE_ORIGIN_OOM});
    ASSERT_EQ(life.report(100).lineages.size(), 1u);
    EXPECT_EQ(life.report(100).lineages[0].tgid, 20u);
}

TEST(Lineage, TooManyAreNotKnownRatherThanOld)
{
    Family life;
    for (std::uint32_t i = 0; i < 40; ++i) {
        life.look_up(10 + i, 7, "bash", 1, "bash " + std::to_string(i));
        life.send(10 + i, 7, 20, kTerm);
    }
    EXPECT_FALSE(last_of(life, 7).known);
    EXPECT_TRUE(last_of(life, 20).known);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
