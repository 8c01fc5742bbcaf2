// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "random_report.hpp"
#include "render/render.hpp"
#include "schema.hpp"
#include "sample.hpp"
#include "screen.hpp"

namespace ipcscope {
namespace {

RC_GTEST_PROP(AnyReport, TextStaysOnTheScreen, ())
{
    const auto report = *rc::gen::noShrink(any_report());
    render::TextOptions options;
    options.utf8 = *rc::gen::arbitrary<bool>();
    options.top = *rc::gen::inRange<std::size_t>(0, 4);
    options.width = *rc::gen::inRange<std::size_t>(60, 140);
    RC_ASSERT(screen::bad_line(sample::text(report, options),
                               std::max(options.width, render::kMinWidth)) == "");
}

RC_GTEST_PROP(AnyReport, JsonParsesAndFollowsItsSchema, ())
{
    const auto report = *rc::gen::noShrink(any_report());
    const std::string text = sample::json(report);
    RC_ASSERT(screen::bad_line(text, SIZE_MAX) == "");
    RC_ASSERT(schema::check(nlohmann::json::parse(text), schema::report()) == "");
}

}  // namespace
}  // namespace ipcscope
