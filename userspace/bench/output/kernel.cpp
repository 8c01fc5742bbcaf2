// SPDX-License-Identifier: GPL-2.0-only
// bench --trace: where the kernel spent a round trip, beside the time measured in user space.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "bench/output/page.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

/// The parts that any of the results has, in the order in which they follow each
/// other in the first that has them.
std::vector<std::string> all_parts(const Run& run)
{
    std::vector<std::string> names;
    for (const CaseResult& result : run.results) {
        if (!result.kernel) continue;
        auto next = names.begin();
        for (const KernelView::Part& part : result.kernel->parts) {
            auto at = std::find(names.begin(), names.end(), part.name);
            if (at == names.end()) at = names.insert(next, part.name);
            next = at + 1;
        }
    }
    return names;
}

std::string upper(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return std::toupper(letter); });
    return text;
}

std::string cell(const Page& page, const KernelView& view, const std::string& name)
{
    for (const KernelView::Part& part : view.parts) {
        if (part.name == name) return page.time(part.ns);
    }
    return page.none();
}

std::vector<std::string> row(const Page& page, const CaseResult& result,
                             const std::vector<std::string>& names)
{
    const KernelView& view = *result.kernel;
    std::vector<std::string> cells{Variant::of(result.what).label(page),
                                   result.what.placement.distance == Distance::same_cpu
                                       ? "same" : "other"};
    for (const std::string& name : names) cells.push_back(cell(page, view, name));
    cells.push_back(page.time(view.kernel_ns));
    cells.push_back(page.time(view.user_ns));
    cells.push_back(page.time(view.untraced_ns));
    return cells;
}

std::vector<std::string> notes(const Run& run)
{
    std::uint64_t round_trips = 0, left_out = 0, lost = 0;
    for (const CaseResult& result : run.results) {
        if (!result.kernel) continue;
        round_trips += result.kernel->round_trips;
        left_out += result.kernel->left_out;
        lost += result.kernel->lost;
    }
    return {
        "SEND PATH: from the sender's call to the wake-up. WOKEN (pipes): the wake-up until the "
        "receiver has a CPU. TAKEN (signals): sent until it is taken, wake-up and waiting for a "
        "CPU included. RECEIVE PATH: the receiver runs until it leaves the hook: dequeue, copy. "
        "OUTSIDE: between the hooks, that is entering and leaving system calls, and user code.",
        fmt::format("SUM is of both directions; USER SPACE measured the same round trips. "
                    "Tracing costs time: UNTRACED is the mean without. Means of {} round trips; "
                    "{} left out (a record is missing), {} records lost.",
                    round_trips, left_out, lost)};
}

}  // namespace

Section kernel_view(const Page& page)
{
    Section section{"The kernel's view: where a traced round trip spent its time"};
    const auto names = all_parts(page.run);
    section.table.columns = {{"MECHANISM", "", true, 12}, {"CPU", "", true}};
    for (const std::string& name : names)
        section.table.columns.push_back({upper(page.safe(name))});
    for (const char* title : {"SUM", "USER SPACE", "UNTRACED"})
        section.table.columns.push_back({title});
    for (const CaseResult& result : page.run.results) {
        if (result.kernel) section.table.row(row(page, result, names));
    }
    if (!section.table.empty()) section.notes = notes(page.run);
    return section;
}

}  // namespace ipcscope::bench
