// SPDX-License-Identifier: GPL-2.0-only
#include "compare/rows.hpp"

#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"

namespace ipcscope::compare {
namespace {

using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using aggregate::Report;

/// Names of one side, each once, in an order that is the same in both traces; of many, the first.
constexpr std::size_t kMostNames = 3;

std::string joined(const std::set<std::string>& names)
{
    std::string text;
    std::size_t shown = 0;
    for (const std::string& name : names) {
        if (shown == kMostNames) {
            return text + ",…";
        }
        text += (text.empty() ? "" : ",") + name;
        ++shown;
    }
    return text.empty() ? "?" : text;
}

std::string name_of(const decode::Task& task)
{
    const std::string name = task.comm.text().str();
    return name.empty() ? "?" : name;
}

std::string callers(const std::vector<ChannelEnd>& ends)
{
    std::set<std::string> names;
    for (const ChannelEnd& end : ends) {
        if (!end.holds_only) {
            names.insert(name_of(end.task));
        }
    }
    return joined(names);
}

std::string name_of(const ChannelRow& channel)
{
    return fmt::format("{} {} → {}", decode::object_name(channel.type), callers(channel.writers),
                       callers(channel.readers));
}

std::string users(const aggregate::ObjectRow& object)
{
    std::set<std::string> names;
    for (const aggregate::ObjectUser& user : object.users) {
        names.insert(name_of(user.task));
    }
    return joined(names);
}

const char* function_words(aggregate::KernelFunction function)
{
    return function == aggregate::KernelFunction::send ? "kernel, sending a signal"
                                                       : "kernel, taking a signal";
}

void add(std::map<std::string, Histogram>& to, const std::string& what, const Histogram& latency)
{
    if (latency.count() != 0) {
        to[what].merge(latency);
    }
}

}  // namespace

std::map<std::string, Histogram> latencies_of(const Report& report)
{
    std::map<std::string, Histogram> found;
    for (const aggregate::SignalRow& row : report.signals) {
        add(found,
            fmt::format("{} → {}, to its taking", decode::signal_name(row.signal),
                        name_of(row.target)),
            row.latency);
    }
    for (const aggregate::CallRow& row : report.calls) {
        add(found, function_words(row.function), row.latency);
    }
    for (const ChannelRow& channel : report.channels) {
        if (channel.is_pipe()) {   // the others are among the objects
            add(found, name_of(channel) + ", write", channel.writes.latency);
            add(found, name_of(channel) + ", read", channel.reads.latency);
        }
    }
    for (const aggregate::ObjectRow& object : report.objects) {
        for (const aggregate::OpRow& row : object.ops) {
            add(found,
                fmt::format("{} of {}, {}", decode::object_name(object.type), users(object),
                            decode::op_name(row.op)),
                row.latency);
        }
    }
    for (const aggregate::SocketRow& socket : report.sockets) {
        add(found,
            fmt::format("{} {} → {}, to its receive", decode::object_name(socket.type),
                        name_of(socket.sender), name_of(socket.receiver)),
            socket.latency);
    }
    return found;
}

std::map<std::string, std::uint64_t> waits_of(const Report& report)
{
    std::map<std::string, std::uint64_t> found;
    const auto wait = [&](const std::string& what, std::uint64_t time_ns) {
        std::uint64_t& sum = found[what];
        sum = plus(sum, time_ns);
    };
    for (const ChannelRow& channel : report.channels) {
        const std::string name = name_of(channel);
        wait(name + ", waited to write", plus(channel.writes.blocked_ns, channel.writes.polled_ns));
        wait(name + ", waited to read", plus(channel.reads.blocked_ns, channel.reads.polled_ns));
    }
    for (const aggregate::ObjectRow& object : report.objects) {
        for (const aggregate::OpRow& row : object.ops) {
            wait(fmt::format("{} of {}, waited in {}", decode::object_name(object.type),
                             users(object), decode::op_name(row.op)),
                 row.blocked_ns);
        }
    }
    for (const aggregate::Pipeline& pipeline : report.pipelines) {
        for (const aggregate::StageRow& stage : pipeline.stages) {
            const std::string name = "stage " + name_of(stage.task);
            wait(name + ", for input", stage.waiting_for_input_ns);
            wait(name + ", for output", stage.waiting_for_output_ns);
            wait(name + ", not waiting for IPC", stage.not_waiting_ns);
        }
    }
    return found;
}

std::uint64_t window_ns(const Report& report)
{
    return since(report.end_ns, report.host.start_ns);
}

}  // namespace ipcscope::compare
