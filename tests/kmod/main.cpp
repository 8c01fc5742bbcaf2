// SPDX-License-Identifier: GPL-2.0-only
// kmod_test [gtest options]   the kernel module itself, as root in a guest with
//                             ipcscope.ko and ipcscope_lab.ko loaded
// kmod_test --reader          a reader that has mapped everything and waits
//                             until it is killed (tests/kmod/loading)
// kmod_test --cycles N MODULE loads and unloads it N times (cycles.hpp)
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include "cycles.hpp"

int main(int argc, char** argv)
{
    if (argc == 2 && std::strcmp(argv[1], "--reader") == 0) {
        return ipcscope::kmod_test::wait_as_reader();
    }
    if (argc == 4 && std::strcmp(argv[1], "--cycles") == 0) {
        const auto count = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
        return ipcscope::kmod_test::cycles(count, argv[3]);
    }
    testing::InitGoogleTest(&argc, argv);
    if (!std::getenv("IPCSCOPE_VM") && !testing::GTEST_FLAG(list_tests)) {
        std::fprintf(stderr, "kmod_test: run it in a guest: tests/kmod/run KERNEL\n");
        return 2;
    }
    return RUN_ALL_TESTS();
}
