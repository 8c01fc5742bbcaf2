// SPDX-License-Identifier: GPL-2.0-only
#include "source/ancestry.hpp"

#include <algorithm>

#include <sys/prctl.h>

#include "base/clock.hpp"
#include "notes.hpp"
#include "source/id_names.hpp"

namespace ipcscope::source {
namespace {

using namespace ipcscope::test;

ipcscope_signal_generate signal(std::uint32_t from, std::uint32_t to, unsigned number)
{
    ipcscope_signal_generate sent{};
    sent.header.time_ns = monotonic_ns();
    sent.header.tgid = from;
    sent.target_tgid = to;
    sent.sig = static_cast<__u8>(number);
    return sent;
}

std::uint32_t self() { return static_cast<std::uint32_t>(getpid()); }

class AncestryTest : public testing::Test {
protected:
    std::vector<Note> saw(const ipcscope_signal_generate& sent)
    {
        Notes notes;
        ancestry.saw(sent, notes);
        return notes_in(notes.bytes());
    }

    proc::Cgroups cgroups;
    Ancestry ancestry{cgroups};
};

const Note* note_of(const std::vector<Note>& notes, std::uint32_t pid)
{
    const auto found =
        std::ranges::find_if(notes, [&](const Note& note) { return note.header.tgid == pid; });
    return found == notes.end() ? nullptr : &*found;
}

TEST_F(AncestryTest, NotesSenderTargetAndTheirAncestors)
{
    const Child child([] { prctl(PR_SET_NAME, "target"); });
    const auto sent = signal(self(), child.pid(), SIGTERM);
    const auto notes = saw(sent);
    const Note* target = note_of(notes, child.pid());
    ASSERT_NE(target, nullptr);
    EXPECT_EQ(target->header.kind, IPCSCOPE_PROCESS);
    EXPECT_EQ(target->header.time_ns, sent.header.time_ns);
    const auto record = target->as<ipcscope_process>();
    EXPECT_EQ(record.ppid, self());
    EXPECT_EQ(record.uid, getuid());
    EXPECT_STREQ(reinterpret_cast<const char*>(record.comm), "target");
    ASSERT_NE(note_of(notes, self()), nullptr);
    EXPECT_NE(note_of(notes, self())->text<ipcscope_process>(), "");
    if (const auto parent = static_cast<std::uint32_t>(getppid()); parent != 0) {
        ASSERT_NE(note_of(notes, parent), nullptr);
        EXPECT_EQ(note_of(notes, parent)->text<ipcscope_process>(), "");
    }
}

TEST_F(AncestryTest, OnceInASecond)
{
    const Child child([] {});
    auto sent = signal(self(), child.pid(), SIGKILL);
    EXPECT_FALSE(saw(sent).empty());
    EXPECT_TRUE(saw(sent).empty());
    sent.header.time_ns += 2'000'000'000;
    EXPECT_FALSE(saw(sent).empty());
}

TEST_F(AncestryTest, AgainAfterAnExec)
{
    const Child child([] {});
    const auto sent = signal(self(), child.pid(), SIGKILL);
    saw(sent);
    ipcscope_thread thread{};
    thread.header.tgid = thread.header.tid = child.pid();
    thread.reason = IPCSCOPE_THREAD_EXEC;
    ancestry.saw(thread);
    const auto notes = saw(sent);
    EXPECT_EQ(notes.size(), 1u);
    EXPECT_NE(note_of(notes, child.pid()), nullptr);
}

TEST_F(AncestryTest, OfOneThatIsGoneTheRecordedParent)
{
    const Child parent([] {});
    constexpr std::uint32_t kGone = 0x7ffffff0;
    ipcscope_thread thread{};
    thread.header.tgid = thread.header.tid = kGone;
    thread.ppid = parent.pid();
    ancestry.saw(thread);
    const auto notes = saw(signal(kGone, kGone, SIGKILL));
    EXPECT_EQ(note_of(notes, kGone), nullptr);
    EXPECT_NE(note_of(notes, parent.pid()), nullptr);
    EXPECT_NE(note_of(notes, self()), nullptr);
}

TEST_F(AncestryTest, OfOneThatIsGoneItsCommandAsItSent)
{
    constexpr std::uint32_t kGone = 0x7ffffff0;
    ipcscope_thread thread{};
    thread.header.tgid = thread.header.tid = kGone;
    thread.uid = 12;
    std::memcpy(thread.comm, "kill", 4);
    ancestry.saw(thread);
    ipcscope_command command{};
    command.header.tgid = command.header.tid = kGone;
    command.bytes = 12;
    std::memcpy(command.words, "kill\0-9\0a b\0", 12);
    ancestry.saw(command);
    auto sent = signal(kGone, self(), SIGKILL);
    const auto notes = saw(sent);
    const Note* gone = note_of(notes, kGone);
    ASSERT_NE(gone, nullptr);
    EXPECT_EQ(gone->text<ipcscope_process>(), "kill -9 'a b'");
    EXPECT_EQ(gone->as<ipcscope_process>().uid, 12u);

    // Another program of it; and one that was too long.
    sent.header.time_ns += 2'000'000'000;
    thread.reason = IPCSCOPE_THREAD_EXEC;
    ancestry.saw(thread);
    EXPECT_EQ(note_of(saw(sent), kGone), nullptr);
    sent.header.time_ns += 2'000'000'000;
    command.bytes = 5000;
    std::memset(command.words, 'a', sizeof command.words);
    ancestry.saw(command);
    std::string words(sizeof command.words, 'a');
    words += "...";
    EXPECT_EQ(note_of(saw(sent), kGone)->text<ipcscope_process>(), words);

    // Not readable.
    ancestry.saw(thread);
    command.bytes = 0;
    ancestry.saw(command);
    sent.header.time_ns += 2'000'000'000;
    EXPECT_EQ(note_of(saw(sent), kGone), nullptr);
}

TEST_F(AncestryTest, NotOneThatBeganAfterTheSignal)
{
    auto sent = signal(self(), self(), SIGKILL);
    sent.header.time_ns = 1;   // its number was another's then
    EXPECT_EQ(note_of(saw(sent), self()), nullptr);
}

TEST_F(AncestryTest, NothingOfOtherSignals)
{
    EXPECT_TRUE(saw(signal(self(), self(), SIGUSR1)).empty());
    EXPECT_TRUE(saw(signal(self(), self(), SIGCHLD)).empty());
    EXPECT_TRUE(saw(signal(self(), self(), 0)).empty());
    EXPECT_TRUE(saw(signal(self(), self(), 65)).empty());
    EXPECT_FALSE(saw(signal(self(), self(), SIGSTOP)).empty());
}

TEST(IdNames, EachIsGivenOnce)
{
    IdNames names;
    Notes notes;
    ipcscope_thread thread{};
    thread.header.time_ns = 5;
    thread.uid = 0;
    names.saw(thread, notes);
    names.saw(thread, notes);
    thread.uid = 0xfffffff0;   // which has none
    names.saw(thread, notes);
    const auto all = notes_in(notes.bytes());
    ASSERT_EQ(std::ranges::count_if(
                  all, [](const Note& note) { return note.header.kind == IPCSCOPE_USER; }),
              1);
    EXPECT_EQ(all.front().header.time_ns, 5u);
    EXPECT_EQ(all.front().as<ipcscope_name>().id, 0u);
    EXPECT_EQ(all.front().text<ipcscope_name>(), "root");
}

}  // namespace
}  // namespace ipcscope::source
