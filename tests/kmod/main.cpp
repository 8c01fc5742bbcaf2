// SPDX-License-Identifier: GPL-2.0-only
// kmod_test [gtest options]   the kernel module itself, as root in a guest with
//                             ipcscope.ko and ipcscope_lab.ko loaded
// kmod_test --reader          a reader that has mapped everything and waits
//                             until it is killed (tests/kmod/cycles)
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <poll.h>

#include <gtest/gtest.h>

#include "device.hpp"

namespace {

volatile std::sig_atomic_t ended = 0;

int wait_as_reader()
{
    using namespace ipcscope::kmod_test;
    struct sigaction action {};
    action.sa_handler = [](int) { ended = 1; };
    sigaction(SIGTERM, &action, nullptr);
    Running trace;
    std::puts("mapped");
    std::fflush(stdout);
    while (!ended) {
        pollfd events{trace.device().get(), POLLIN, 0};
        poll(&events, 1, -1);
        trace.take();
    }
    trace.stop();
    return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc == 2 && std::strcmp(argv[1], "--reader") == 0) {
        return wait_as_reader();
    }
    testing::InitGoogleTest(&argc, argv);
    if (!std::getenv("IPCSCOPE_VM") && !testing::GTEST_FLAG(list_tests)) {
        std::fprintf(stderr, "kmod_test: run it in a guest: tests/kmod/run KERNEL\n");
        return 2;
    }
    return RUN_ALL_TESTS();
}
