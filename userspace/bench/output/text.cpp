// SPDX-License-Identifier: GPL-2.0-only
// A run as a page: for terminals, and as Markdown.
#include <algorithm>

#include "bench/output/output.hpp"
#include "bench/output/page.hpp"

namespace ipcscope::bench {
namespace {

std::vector<Section> sections(const Page& page)
{
    std::vector<Section> all;
    const auto add = [&](Section section) {
        if (!section.table.empty() || !section.notes.empty()) all.push_back(std::move(section));
    };
    add(textbook(page));
    add(one_way(page));
    for (Section& section : throughput(page)) add(std::move(section));
    for (Section& section : matrices(page)) add(std::move(section));
    add(kernel_view(page));
    add(wide_intervals(page));
    add(failures(page));
    add(warnings(page));
    add(environment(page));
    return all;
}

}  // namespace

std::string text(const Run& run, std::span<const Mechanism> mechanisms,
                 const TextOptions& options)
{
    const Page page{run, mechanisms, {options.utf8, options.colour},
                    std::max(options.width, kLeastWidth)};
    std::string out;
    for (const Section& section : sections(page)) {
        if (!out.empty()) out += '\n';
        out += section.text(page.width, page.style);
    }
    return out;
}

std::string markdown(const Run& run, std::span<const Mechanism> mechanisms)
{
    const Page page{run, mechanisms, {}, TextOptions{}.width};
    std::string out = "# IPC benchmarks\n\n";
    for (const Section& section : sections(page)) out += section.markdown();
    return out;
}

}  // namespace ipcscope::bench
