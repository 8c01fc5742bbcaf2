// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/words.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include "base/container.hpp"
#include "base/syscall_name.hpp"
#include "base/units.hpp"
#include "decode/names.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Part;
using aggregate::Pipeline;
using aggregate::StageRow;

constexpr std::size_t kNamedStages = 12;
constexpr std::size_t kNamedSleeps = 3;
constexpr std::size_t kNamedEnds = 3;

/// By Part.
constexpr std::array<std::string_view, 18> kParts{
    "running",
    "waiting for a CPU",
    "blocked reading",
    "blocked writing",
    "blocked in other IPC calls",
    "in D or K sleep inside calls",
    "in poll for its input",
    "in poll for room in its output",
    "in poll for something else",
    "in poll for an unknown object",
    "asleep",
    "in uninterruptible sleep (D)",
    "in killable sleep (K)",
    "stopped",
    "stopped by a debugger",
    "frozen",
    "in other states",
    "without records (lost)",
};
static_assert(kParts.size() == aggregate::kParts);

std::string in_chain(const decode::Task& task)
{
    return glued(fmt::format("{}({})", task.comm.empty() ? "?" : task.comm.text().view(),
                             task.tgid));
}

}  // namespace

std::string who(const decode::Task& task)
{
    if (task.comm.empty()) {
        return std::to_string(task.tgid);
    }
    return glued(fmt::format("{} ({})", task.tgid, task.comm.text().view()));
}

std::string by(const aggregate::StopRow::By& signal, const decode::Task& process)
{
    return fmt::format("{} from {}", decode::signal_name(signal.signal),
                       sender_to(process, signal.sender, signal.origin, signal.terminal));
}

std::string sender_to(const decode::Task& target, const decode::Task& task, decode::Origin origin,
                      std::uint32_t terminal)
{
    return origin == decode::Origin::task && task.tgid == target.tgid
        ? "itself" : sender(task, origin, terminal);
}

std::string syscall(const source::Host& host, unsigned number)
{
#if defined(__x86_64__)
    constexpr std::string_view kMachine = "x86_64";
#elif defined(__aarch64__)
    constexpr std::string_view kMachine = "aarch64";
#else
    constexpr std::string_view kMachine = "";
#endif
    const std::string_view name = host.machine == kMachine ? syscall_name(number) : "";
    return name.empty() ? glued(fmt::format("system call {}", number)) : fmt::format("{}()", name);
}

std::string sleeps(const aggregate::Report& report, const aggregate::ProcessRow& process,
                   std::uint64_t of_ns)
{
    std::string text;
    for (const aggregate::ProcessRow::Sleep& sleep :
         std::span(process.sleeps).first(std::min(kNamedSleeps, process.sleeps.size()))) {
        if (at_least(sleep.ns, of_ns, 1, 10)) {
            text += fmt::format("{}{} in {}", text.empty() ? "" : ", ", time(sleep.ns),
                                syscall(report.host, sleep.syscall));
        }
    }
    return text;
}

std::string thread_who(const decode::Task& task)
{
    return glued(fmt::format("thread {}", who({task.tid, task.tid, task.comm})));
}

std::string sender(const decode::Task& task, decode::Origin origin, std::uint32_t terminal)
{
    switch (origin) {
    case decode::Origin::task: break;
    case decode::Origin::parent_exit:
        return fmt::format("the kernel as its parent {} exited (PDEATHSIG)", who(task));
    // A timer expires in the context of whatever task ran just then.
    case decode::Origin::timer: return "a timer";
    case decode::Origin::fault: return "a fault of its own";
    case decode::Origin::seccomp: return "its seccomp filter";
    case decode::Origin::oom: return "the kernel's OOM killer";
    case decode::Origin::cgroup_kill:
        return fmt::format("{} by cgroup.kill", who(task));
    case decode::Origin::terminal:
        return terminal == 0 ? "the terminal"
                             : glued("the terminal " + decode::terminal_name(terminal));
    case decode::Origin::pid_namespace:
        return "the kernel as the init of its pid namespace ended";
    case decode::Origin::orphaned_group:
        return "the kernel as its stopped process group was orphaned";
    case decode::Origin::io: return "the kernel for a file that became ready (SIGIO)";
    case decode::Origin::itimer: return "an interval timer (setitimer(), alarm())";
    case decode::Origin::cpu_limit: return "the kernel for the CPU time that it took";
    case decode::Origin::kernel:
        return task.tgid == 0 ? "the kernel"
                              : glued(fmt::format("the kernel (in {}/{})",
                                                  task.comm.text().view(), task.tgid));
    }
    return who(task);
}

std::string user(const aggregate::Lineage& lineage)
{
    if (!lineage.known) {
        return "";
    }
    return lineage.user.empty() ? glued(fmt::format("uid {}", lineage.uid)) : lineage.user.str();
}

std::string ancestry(const Subject& subject)
{
    std::string text = in_chain(subject.task);
    if (!subject.lineage) {
        return text;
    }
    for (const aggregate::Ancestor& ancestor : subject.lineage->ancestors) {
        text += " ← " + in_chain(ancestor.task);
        if (ancestor.ended) {
            text += glued(" (ended)");
        }
    }
    return subject.lineage->whole ? text : text + " ← ?";
}

std::string identity(const Subject& subject)
{
    if (!subject.lineage || !subject.lineage->known) {
        return "";
    }
    const std::string name = user(*subject.lineage);
    std::string text = fmt::format("{}: {}; {}{}", subject.role, ancestry(subject),
                                   subject.lineage->user.empty() ? "" : "user ", name);
    const Place place = place_of(subject.lineage->cgroup_path.view());
    if (!place.container.empty()) {
        text += fmt::format("; {} container {}", place.runtime, short_id(place.container));
    }
    if (!place.unit.empty()) {
        text += "; unit " + place.unit;
    }
    if (subject.lineage->ns_pid != 0 && subject.lineage->ns_pid != subject.task.tgid) {
        text += fmt::format("; pid {} inside", subject.lineage->ns_pid);
    }
    if (!subject.lineage->command.empty()) {
        text += "; " + subject.lineage->command.str();
    }
    return text;
}

std::optional<aggregate::Lineage> lineage_at(const aggregate::Report& report,
                                             std::uint32_t tgid, std::uint64_t at_ns)
{
    const auto behind = std::ranges::upper_bound(
        report.lineages, std::tuple(tgid, at_ns), {},
        [](const aggregate::Lineage& lineage) { return std::tuple(lineage.tgid, lineage.at_ns); });
    if (behind == report.lineages.begin() || std::prev(behind)->tgid != tgid) {
        return std::nullopt;
    }
    return *std::prev(behind);
}

std::string all_of(const std::vector<const aggregate::ChannelEnd*>& ends)
{
    std::string text;
    for (std::size_t at = 0; at < std::min(ends.size(), kNamedEnds); ++at) {
        if (at != 0) {
            text += ", ";
        }
        text += who(ends[at]->task);
    }
    if (ends.size() > kNamedEnds) {
        text += fmt::format(" and {} more", ends.size() - kNamedEnds);
    }
    return text;
}

std::string all_of(const std::vector<aggregate::ChannelEnd>& ends)
{
    std::vector<const aggregate::ChannelEnd*> all;
    for (const aggregate::ChannelEnd& end : ends) {
        all.push_back(&end);
    }
    return all_of(all);
}

std::string chain(const Pipeline& pipeline)
{
    std::string text;
    const std::size_t shown = std::min(pipeline.stages.size(), kNamedStages);
    for (std::size_t at = 0; at < shown; ++at) {
        const StageRow& stage = pipeline.stages[at];
        if (at != 0) {
            // Those of one rank stand side by side.
            text += stage.rank == pipeline.stages[at - 1].rank ? ", " : " → ";
        }
        text += in_chain(stage.task);
    }
    if (shown < pipeline.stages.size()) {
        text += fmt::format(", {} more", pipeline.stages.size() - shown);
    }
    return text;
}

std::string short_name(const Pipeline& pipeline, const StageRow& stage)
{
    const auto same = std::ranges::count(pipeline.stages, stage.task.comm,
                                         [](const StageRow& other) { return other.task.comm; });
    return same == 1 && !stage.task.comm.empty() ? glued(stage.task.comm.text().str())
                                                 : in_chain(stage.task);
}

std::string time(std::uint64_t ns) { return glued(duration(ns)); }

std::string where_time_went(const aggregate::Time& time)
{
    struct Share {
        std::size_t part;
        std::uint64_t ns;
    };
    std::vector<Share> shares;
    for (std::size_t part = 0; part < aggregate::kParts; ++part) {
        if (time.span_ns != 0 && at_least(time.parts_ns[part], time.span_ns, 1, 100)) {
            shares.push_back({part, time.parts_ns[part]});
        }
    }
    const auto running = [](const Share& share) {
        return share.part == static_cast<std::size_t>(Part::running);
    };
    std::ranges::stable_sort(shares, [&](const Share& a, const Share& b) {
        return running(a) != running(b) ? running(a) : a.ns > b.ns;
    });
    std::string text;
    for (const Share& share : shares) {
        if (!text.empty()) {
            text += ", ";
        }
        text += fmt::format("{} {}", glued(whole_percent(share.ns, time.span_ns)),
                            kParts[share.part]);
    }
    return text;
}

std::string_view sleeps_in(std::span<const SafeText> stack)
{
    static constexpr std::array<std::string_view, 8> kSchedulers = {
        "__schedule", "schedule", "schedule_timeout", "io_schedule",
        "io_schedule_timeout", "schedule_preempt_disabled", "schedule_hrtimeout",
        "?",
    };
    for (const SafeText& entry : stack) {
        const std::string_view symbol = entry.view().substr(0, entry.view().find('+'));
        if (std::ranges::find(kSchedulers, symbol) == kSchedulers.end()) {
            return entry.view();
        }
    }
    return stack.empty() ? std::string_view{} : stack.front().view();
}

std::string function_name(std::span<const SafeText> stack)
{
    const std::string_view entry = sleeps_in(stack);
    const std::string_view name = entry.substr(0, entry.find_first_of("+ "));
    return name == "?" ? std::string() : std::string(name.substr(0, name.find('.')));
}

std::uint64_t sent(const aggregate::SignalRow& row)
{
    std::uint64_t sum = 0;
    for (const std::uint64_t number : row.outcomes) {
        sum = plus(sum, number);
    }
    return sum;
}

}  // namespace ipcscope::diagnose
