// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

/// How the signal that was generated at that time ended, and when.
#define EXPECT_END(outcomes, generated, wanted_end, wanted_ended)                        \
    do {                                                                                 \
        const auto interval_ = of(outcomes, generated);                                  \
        EXPECT_EQ(interval_.generated_ns, std::uint64_t{generated});                     \
        EXPECT_EQ(interval_.end, wanted_end) << generated;                               \
        EXPECT_EQ(interval_.ended_ns, std::uint64_t{wanted_ended}) << generated;         \
    } while (false)
