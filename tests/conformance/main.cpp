// SPDX-License-Identifier: GPL-2.0-only
// conformance [gtest options]                  the suite; root, in a guest
// conformance --workload NAME [ARGUMENT…]      what it traces
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include "workload.hpp"

int main(int argc, char** argv)
{
    if (argc > 2 && std::strcmp(argv[1], "--workload") == 0) {
        return ipcscope::workload::run(argv[2], {argv + 3, argv + argc});
    }
    testing::InitGoogleTest(&argc, argv);
    // It traces and freezes: not on a machine that is in use.
    if (!std::getenv("IPCSCOPE_VM") && !testing::GTEST_FLAG(list_tests)) {
        std::fprintf(stderr, "conformance: run it in a guest: tests/conformance/run KERNEL\n");
        return 2;
    }
    return RUN_ALL_TESTS();
}
