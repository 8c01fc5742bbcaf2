// SPDX-License-Identifier: GPL-2.0-only
// What only the debug kernel can test (vm/debug-kernel): memory that is not there
// when it is asked for, one allocation after the other.
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "device.hpp"

namespace ipcscope::kmod_test {
namespace {

/// Makes the n-th allocation (or copy from or to user memory) of this thread fail
/// from now on; at the end tells whether it came to that.
class FailNth {
public:
    explicit FailNth(unsigned n) : file_(open("/proc/thread-self/fail-nth", O_RDWR))
    {
        const std::string number = std::to_string(n);
        EXPECT_EQ(write(file_.get(), number.data(), number.size()),
                  static_cast<ssize_t>(number.size()));
    }
    /// True where fewer than n have been asked for.
    bool was_enough()
    {
        char left[16] = {};
        EXPECT_GT(pread(file_.get(), left, sizeof left - 1, 0), 0);
        EXPECT_EQ(pwrite(file_.get(), "0", 1, 0), 1);
        return std::atoi(left) > 0;
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

/// Quietly: a report for each failure that is wanted would hide one that is not.
void switch_on()
{
    for (const char* kind : {"failslab", "fail_page_alloc", "fail_usercopy"}) {
        const std::string directory = std::string("/sys/kernel/debug/") + kind;
        set((directory + "/verbose").c_str(), "0");
    }
    set("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
    set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
    set("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

/// Runs `attempt` with its n-th allocation failing, for each n until it gets all.
/// It tells 0 or an errno, and must have left nothing when it tells one.
template <typename Attempt>
void each_failure(const char* what, Attempt attempt)
{
    unsigned failures = 0;
    for (unsigned n = 1; n < 100'000; n++) {
        FailNth fail(n);
        const int error = attempt();
        if (fail.was_enough()) {
            EXPECT_EQ(error, 0) << what << " fails with all that it asked for";
            EXPECT_GT(n, 1u) << what << " asks for nothing";
            return;
        }
        failures += error != 0;
        EXPECT_TRUE(error == 0 || error == ENOMEM || error == EFAULT) << what << ' ' << error;
    }
    ADD_FAILURE() << what << " never gets enough";
}

TEST(Debug, OpenWithoutMemory)
{
    switch_on();
    each_failure("open", [] {
        const int fd = open(kDevice, O_RDWR | O_CLOEXEC);
        const int error = fd < 0 ? errno : 0;
        if (fd >= 0) {
            close(fd);
        }
        return error;
    });
    EXPECT_TRUE(open_device());
}

TEST(Debug, FilterWithoutMemory)
{
    switch_on();
    const Fd device = open_device();
    each_failure("filter", [&] {
        ipcscope_filter filter{};
        filter.type = IPCSCOPE_FILTER_TGID;
        filter.id = 1;
        return request(device, IPCSCOPE_IOC_FILTER, &filter);
    });
}

TEST(Debug, StartWithoutMemory)
{
    switch_on();
    cpus();
    each_failure("start", [] {
        Fd device(open(kDevice, O_RDWR | O_CLOEXEC));
        if (!device) {
            return errno;
        }
        ipcscope_start start = good_start();
        start.max_calls = 3;   // each is an allocation of the kernel's own
        start.ring_bytes = 4096;
        start.wakeup_bytes = 4096;
        return request(device, IPCSCOPE_IOC_START, &start);
    });
}

}  // namespace
}  // namespace ipcscope::kmod_test
