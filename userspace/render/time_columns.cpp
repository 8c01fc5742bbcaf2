// SPDX-License-Identifier: GPL-2.0-only
// Where time went, in columns.
#include <vector>

#include "render/text.hpp"
#include "base/units.hpp"

namespace ipcscope::render {

using aggregate::Part;
using aggregate::Time;

std::vector<Table::Column> time_columns()
{
    return {{"RUNNING"}, {"RUNNABLE"}, {"INPUT"}, {"OUTPUT"}, {"POLL"}, {"SLEEP"}, {"OTHER"}};
}

std::vector<Table::Cell> time_cells(const Time& time)
{
    std::uint64_t other = 0;
    for (const Part part : {Part::call, Part::call_uninterruptible, Part::uninterruptible,
                            Part::killable, Part::stopped, Part::traced, Part::frozen,
                            Part::other, Part::unaccounted})
        other = plus(other, time.at(part));
    const auto share = [&](std::uint64_t ns) -> Table::Cell {
        return whole_percent(ns, time.span_ns);
    };
    return {share(time.at(Part::running)), share(time.at(Part::runnable)),
            share(time.at(Part::input)),   share(time.at(Part::output)),
            share(time.poll_ns()),         share(time.at(Part::sleeping)),
            share(other)};
}

}  // namespace ipcscope::render
