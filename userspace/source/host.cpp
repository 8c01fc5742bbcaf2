// SPDX-License-Identifier: GPL-2.0-only
#include "source/host.hpp"

#include <sys/utsname.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/version.hpp"

namespace ipcscope::source {

Host this_host(const Options& options)
{
    Host host;
    utsname names{};
    uname(&names);
    host.kernel = names.release;
    host.version = names.version;
    host.machine = names.machine;
    host.hostname = names.nodename;
    host.tool_version = kVersion;
    host.command = options.command;
    const auto add = [&](const char* name, const auto& values) {
        for (const auto& value : values) {
            host.filters.push_back(fmt::format("--{}={}", name, value));
        }
    };
    add("pid", options.filters.pids);
    add("tid", options.filters.tids);
    add("comm", options.filters.comms);
    add("cgroup", options.filters.cgroups);
    add("signal", options.filters.signals);
    add("object", options.filters.objects);
    add("path", options.filters.paths);
    if (options.filters.follow) {
        host.filters.emplace_back("--follow");
    }
    host.realtime_offset_ns = static_cast<std::int64_t>(clock_ns(CLOCK_REALTIME)) -
                              static_cast<std::int64_t>(monotonic_ns());
    return host;
}

}  // namespace ipcscope::source
