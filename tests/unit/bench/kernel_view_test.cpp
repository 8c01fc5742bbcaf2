// SPDX-License-Identifier: GPL-2.0-only
// What --trace adds to a run, in every output and read back.
#include <gtest/gtest.h>

#include "bench/output/output.hpp"
#include "sample_run.hpp"

namespace ipcscope::bench {
namespace {

Run traced()
{
    Run run;
    for (const Distance distance : {Distance::same_cpu, Distance::other_cpu}) {
        CaseResult result =
            sample::result(sample::round_trip("pipe", 1, distance), {2000, 2010, 2020});
        KernelView view;
        view.round_trips = 997;
        view.left_out = 3;
        view.lost = 2;
        view.kernel_ns = 4100;
        view.user_ns = 4111;
        view.untraced_ns = 2013;
        view.parts = {{"send path", 1200}, {"woken", 900}, {"receive path", 1000},
                      {"outside", 1000}};
        if (distance == Distance::other_cpu) {
            view.parts.insert(view.parts.begin() + 1, {"full", 70});
        }
        result.kernel = view;
        run.results.push_back(result);
    }
    return run;
}

std::string line_with(const std::string& text, const std::string& what)
{
    const std::size_t at = text.find(what);
    if (at == std::string::npos) return "";
    const std::size_t begin = text.rfind('\n', at) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
}

TEST(BenchKernelView, TableHasEveryPartOnce)
{
    const std::string page = text(traced(), sample::mechanisms());
    EXPECT_EQ(line_with(page, "SEND PATH "),
              "  MECHANISM  CPU    SEND PATH   FULL   WOKEN  RECEIVE PATH  OUTSIDE      SUM  "
              "USER SPACE  UNTRACED") << page;
    EXPECT_NE(page.find("pipe       same     1.20 µs      –  900 ns       1.00 µs  1.00 µs  "
                        "4.10 µs     4.11 µs   2.01 µs"), std::string::npos) << page;
    EXPECT_NE(page.find("pipe       other    1.20 µs  70 ns  900 ns"), std::string::npos) << page;
    EXPECT_NE(page.find("1994 round trips"), std::string::npos);
    EXPECT_EQ(text(sample::whole(), sample::mechanisms()).find("kernel's view"),
              std::string::npos);
    EXPECT_NE(markdown(traced(), sample::mechanisms()).find("UNTRACED"), std::string::npos);
}

TEST(BenchKernelView, IsReadBack)
{
    const bench::Run run = traced();
    const auto again = parse(json(run), "a test");
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->results.size(), 2U);
    for (std::size_t i = 0; i < 2; i++) {
        ASSERT_TRUE(again->results[i].kernel);
        const KernelView& was = *run.results[i].kernel;
        const KernelView& is = *again->results[i].kernel;
        EXPECT_EQ(is.round_trips, was.round_trips);
        EXPECT_EQ(is.left_out, was.left_out);
        EXPECT_EQ(is.lost, was.lost);
        EXPECT_EQ(is.kernel_ns, was.kernel_ns);
        EXPECT_EQ(is.user_ns, was.user_ns);
        EXPECT_EQ(is.untraced_ns, was.untraced_ns);
        ASSERT_EQ(is.parts.size(), was.parts.size());
        for (std::size_t part = 0; part < was.parts.size(); part++) {
            EXPECT_EQ(is.parts[part].name, was.parts[part].name);
            EXPECT_EQ(is.parts[part].ns, was.parts[part].ns);
        }
    }
    EXPECT_EQ(json(*again), json(run));
}

}  // namespace
}  // namespace ipcscope::bench
