// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <fmt/format.h>

#include "bench/output/text_table.hpp"
#include "bench/output/output.hpp"
#include "bench/output/page.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

std::string sizes(const Mechanism& mechanism, const render::Style& style)
{
    if (mechanism.max_message == 0) return style.none();
    if (mechanism.min_message == mechanism.max_message) return size_text(mechanism.max_message);
    return fmt::format("{}..{}", size_text(std::max<std::size_t>(1, mechanism.min_message)),
                       size_text(mechanism.max_message));
}

std::string abilities(const Mechanism& mechanism)
{
    std::vector<std::string> words;
    if (mechanism.single_thread) words.push_back("call");
    words.push_back("round-trip");
    if (mechanism.throughput) words.push_back("throughput");
    if (mechanism.mpmc) words.push_back("many");
    if (mechanism.spins) words.push_back(mechanism.blocks ? "spin" : "spin-only");
    if (mechanism.threads) words.push_back("threads");
    if (mechanism.other_mapping) words.push_back("(with --all)");
    return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

std::string list(std::span<const Mechanism> mechanisms, const TextOptions& options)
{
    const render::Style style{options.utf8, options.colour};
    TextTable table{{{"NAME", "", true},
               {"WHAT", "", true, 20},
               {"MESSAGE", "", true},
               {"CAN", "", true, 20}}};
    for (const Mechanism& mechanism : mechanisms)
        table.row({safe_text(mechanism.name, style), safe_text(mechanism.title, style),
                  sizes(mechanism, style), abilities(mechanism)});
    return table.text(options.widths(), style);
}

}  // namespace ipcscope::bench
