// SPDX-License-Identifier: GPL-2.0-only
#include "source/thread_sweep.hpp"

#include <map>
#include <thread>

#include <sys/prctl.h>

#include "notes.hpp"

namespace ipcscope::source {
namespace {

using namespace ipcscope::test;

constexpr auto kForever = ThreadSweep::Deadline::max();

std::map<std::uint32_t, ipcscope_thread> sweep(std::uint64_t time_ns)
{
    proc::Cgroups cgroups;
    ProcessNames names;
    Notes notes;
    EXPECT_TRUE(ThreadSweep(time_ns, cgroups, names).append(notes, kForever));
    std::map<std::uint32_t, ipcscope_thread> threads;
    for (const Note& note : notes_in(notes.bytes())) {
        EXPECT_EQ(note.header.kind, IPCSCOPE_THREAD);
        EXPECT_EQ(note.header.cpu, kCollectorCpu);
        EXPECT_EQ(note.header.size, sizeof(ipcscope_thread));
        EXPECT_EQ(note.header.time_ns, time_ns);
        EXPECT_TRUE(threads.emplace(note.header.tid, note.as<ipcscope_thread>()).second);
    }
    return threads;
}

/// Threads of a process of their own, each with a name.
void start_threads(unsigned count)
{
    for (unsigned i = 0; i < count; ++i) {
        std::thread([i] {
            prctl(PR_SET_NAME, ("thread " + std::to_string(i)).c_str());
            for (;;) pause();
        }).detach();
    }
    usleep(100'000);   // until each has its name
}

TEST(ThreadSweep, FindsEveryThreadOfAProcess)
{
    const Child child([] { start_threads(5); });
    const auto threads = sweep(123);
    std::map<Comm, unsigned> names;
    for (const auto& [tid, record] : threads) {
        if (record.header.tgid != child.pid()) continue;
        EXPECT_EQ(record.ppid, static_cast<std::uint32_t>(getpid()));
        EXPECT_EQ(record.reason, IPCSCOPE_THREAD_SWEEP);
        EXPECT_EQ(record.uid, getuid());
        ++names[comm_of(record)];
    }
    EXPECT_EQ(names.size(), 6u) << "itself, too";
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_EQ(names[Comm("thread " + std::to_string(i))], 1u) << i;
    }
    EXPECT_TRUE(threads.contains(static_cast<std::uint32_t>(getpid())));
}

TEST(ThreadSweep, InPortionsItFindsTheSame)
{
    const Child child([] { start_threads(50); });
    proc::Cgroups cgroups;
    ProcessNames names;
    ThreadSweep swept(1, cgroups, names);
    Notes notes;
    unsigned portions = 1;
    while (!swept.append(notes, std::chrono::steady_clock::now() +
                                    std::chrono::microseconds(200))) {
        ++portions;
    }
    EXPECT_GT(portions, 2u);
    unsigned found = 0;
    for (const Note& note : notes_in(notes.bytes())) found += note.header.tgid == child.pid();
    EXPECT_EQ(found, 51u);
}

/// 10,000 of them are to take less than a second; here the machine has others to do.
TEST(ThreadSweep, IsFast)
{
    const Child child([] { start_threads(1000); });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_GT(sweep(1).size(), 1000u);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(ProcessNames, SayWhatIsNew)
{
    ProcessNames names;
    ipcscope_thread leader{};
    leader.header.tgid = 5;
    leader.comm[0] = 'a';
    EXPECT_TRUE(names.add(leader));
    EXPECT_FALSE(names.add(leader));
    leader.comm[0] = 'b';
    EXPECT_TRUE(names.add(leader));
    EXPECT_FALSE(names.add(leader));
}

}  // namespace
}  // namespace ipcscope::source
