// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope kills`: a line for each process that got a signal which should end it.
#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/death_effect.hpp"
#include "render/death_words.hpp"
#include "render/live_line.hpp"
#include "render/render.hpp"

namespace ipcscope::render {
namespace {

using aggregate::Death;
using aggregate::DeathSend;

constexpr std::size_t kSignals = 11;
constexpr std::size_t kTook = 9;
constexpr std::size_t kRest = 80;   ///< to the end of the line

/// How a wait status says that it ended.
std::string ending(std::int32_t code)
{
    return WIFSIGNALED(code) ? decode::signal_name(static_cast<unsigned>(WTERMSIG(code)))
                             : fmt::format("status {}", WEXITSTATUS(code));
}

/// "D io_schedule": by the last look at it.
std::string last_state(const Death& death)
{
    if (death.looks.empty()) {
        return "still there";
    }
    const aggregate::ThreadLook& look = death.looks.back();
    return fmt::format("{} {}", decode::state_letter(look.state), look.wait_channel.view());
}

}  // namespace

std::string death_signals(const Death& death, const Style& style)
{
    std::vector<std::pair<unsigned, std::uint64_t>> counts;   // in order
    for (const DeathSend& send : death.sends) {
        const auto known = std::ranges::find(counts, send.signal, &decltype(counts)::value_type::first);
        if (known == counts.end()) {
            counts.emplace_back(send.signal, send.count);
        } else {
            known->second += send.count;
        }
    }
    std::string text;
    for (const auto& [signal, count] : counts) {
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ",
                            decode::signal_name(signal).substr(3),
                            count == 1 ? "" : fmt::format(" {}{}", style.times(), count));
    }
    return text;
}

std::string death_outcome(const diagnose::LiveDeath& shown)
{
    const Death& death = shown.death;
    if (shown.still_ns == 0) {
        return death.exit_code ? ending(*death.exit_code) : "ended";
    }
    if (diagnose::is_ignored(death)) {
        return "ignored";
    }
    return diagnose::was_handled(death) ? "handled" : last_state(death);
}

std::string death_time(const diagnose::LiveDeath& shown, const Style& style)
{
    return shown.still_ns != 0
               ? ">" + style.time(shown.still_ns)
               : style.time(since(*shown.death.gone_ns, shown.death.first_ns()));
}

std::string kills_header(const LiveOptions& options)
{
    Line line(options);
    return line.right("TIME", line.width().time)
        .left("FROM", line.width().task)
        .left("SIGNALS", kSignals)
        .left("TO", line.width().task)
        .right("TOOK", kTook)
        .left("END", std::string_view("END").size())
        .str();
}

std::string live_line(const diagnose::LiveDeath& shown, std::uint64_t start_ns,
                      const LiveOptions& options)
{
    const Death& death = shown.death;
    const DeathSend& first = death.sends.front();
    Line line(options);
    line.right(clock(shown.at_ns, start_ns, options), line.width().time);
    const std::string_view label = decode::origin_label(first.origin);
    if (label.empty()) {
        line.task(first.sender);
    } else {
        line.left(std::string(label), line.width().task);
    }
    return line.left(death_signals(death, line.style()), kSignals)
        .task(death.target)
        .right(death_time(shown, line.style()), kTook)
        .left(death_outcome(shown), kRest)
        .str();
}

}  // namespace ipcscope::render
