// SPDX-License-Identifier: GPL-2.0-only
// Tests for the debug kernel only (vm/debug-kernel): each allocation fails in turn.
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "device.hpp"

namespace ipcscope::kmod_test {
namespace {

/// Makes the n-th allocation (or copy from or to user memory) of this thread fail
/// from now on.
class FailNth {
public:
    explicit FailNth(unsigned n) : file_(open("/proc/thread-self/fail-nth", O_RDWR))
    {
        const std::string number = std::to_string(n);
        EXPECT_EQ(write(file_.get(), number.data(), number.size()),
                  static_cast<ssize_t>(number.size()));
    }
    /// Ends the injection.  @return true if fewer than n allocations were made
    bool was_not_reached()
    {
        // Reading and resetting the counter are user copies too and may be the one that
        // fails: then n was not reached before, and the retry succeeds.
        char left[16] = {};
        const bool not_reached =
            pread(file_.get(), left, sizeof left - 1, 0) < 0 || std::atoi(left) > 0;
        EXPECT_TRUE(pwrite(file_.get(), "0", 1, 0) == 1 || pwrite(file_.get(), "0", 1, 0) == 1);
        return not_reached;
    }

private:
    Fd file_;
};

void set(const char* path, const char* value)
{
    std::ofstream file(path);
    file << value;
    ASSERT_TRUE(file.flush()) << path;
}

/// Without reports: one for each injected failure would hide other reports.
void enable_fault_injection()
{
    for (const char* kind : {"failslab", "fail_page_alloc", "fail_usercopy"}) {
        const std::string directory = std::string("/sys/kernel/debug/") + kind;
        set((directory + "/verbose").c_str(), "0");
    }
    set("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
    set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
    set("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

struct Outcome {
    int error;    ///< errno, or 0
    Fd device{};  ///< closed after the injection has ended
};

/// Runs `attempt` with its n-th allocation failing, for each n until none fails.
template <typename Attempt>
void fail_each_allocation(const char* what, Attempt attempt)
{
    for (unsigned n = 1; n < 100'000; n++) {
        FailNth fail(n);
        const Outcome outcome = attempt();
        const int error = outcome.error;
        if (fail.was_not_reached()) {
            EXPECT_EQ(error, 0) << what << " fails with all that it asked for";
            EXPECT_GT(n, 1u) << what << " asks for nothing";
            return;
        }
        EXPECT_TRUE(error == 0 || error == ENOMEM || error == EFAULT) << what << ' ' << error;
    }
    ADD_FAILURE() << what << " fails at every n";
}

Outcome open_if_memory()
{
    const int fd = open(kDevice, O_RDWR | O_CLOEXEC);
    return {fd < 0 ? errno : 0, Fd(fd)};
}

/// Until 6.6 each call that can be under way is an allocation: few.
ipcscope_start small_start()
{
    ipcscope_start start = valid_start();
    start.max_threads = 3;
    start.ring_bytes = 4096;
    start.wakeup_bytes = 4096;
    return start;
}

TEST(Debug, OpenWithoutMemory)
{
    enable_fault_injection();
    fail_each_allocation("open", open_if_memory);
    EXPECT_TRUE(open_device());
}

TEST(Debug, FilterWithoutMemory)
{
    enable_fault_injection();
    const Fd device = open_device();
    fail_each_allocation("filter", [&] {
        ipcscope_filter filter{};
        filter.type = IPCSCOPE_FILTER_TGID;
        filter.id = 1;
        return Outcome{request(device, IPCSCOPE_IOC_FILTER, &filter)};
    });
}

TEST(Debug, StartWithoutMemory)
{
    enable_fault_injection();
    cpus();
    fail_each_allocation("start", [] {
        Outcome outcome = open_if_memory();
        ipcscope_start start = small_start();
        if (outcome.device) {
            outcome.error = request(outcome.device, IPCSCOPE_IOC_START, &start);
        }
        return outcome;
    });
}

/// The kernel warns of a probe that it cannot disarm; this runs in a separate boot that
/// allows the warning (tests/kmod/stuck).  The module must keep working with the probe.
TEST(Stuck, StopWithoutMemory)
{
    enable_fault_injection();
    for (unsigned n = 1;; n++) {
        const Fd device = open_device();
        ipcscope_start start = small_start();
        if (const int error = request(device, IPCSCOPE_IOC_START, &start)) {
            EXPECT_EQ(error, ENOTRECOVERABLE);
            break;
        }
        ipcscope_stop stop{};
        FailNth fail(n);
        const int error = request(device, IPCSCOPE_IOC_STOP, &stop);
        ASSERT_FALSE(fail.was_not_reached()) << "no probe has stayed: nothing was tested";
        EXPECT_TRUE(error == 0 || error == EFAULT) << error;
    }
    unsigned references = 0;
    std::ifstream("/sys/module/ipcscope/refcnt") >> references;
    EXPECT_EQ(references, 1u);
}

}  // namespace
}  // namespace ipcscope::kmod_test
