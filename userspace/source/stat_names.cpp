// SPDX-License-Identifier: GPL-2.0-only
#include "source/stat_names.hpp"

#include <fstream>
#include <span>
#include <string>

#include <sys/stat.h>

#include <fmt/format.h>

#include "source/proc.hpp"

namespace ipcscope::source {

SafeText StatNames::of(const ipcscope_stat_key& key)
{
    switch (by_) {
    case IPCSCOPE_STAT_BY_COMM:
        return SafeText::name(std::span(reinterpret_cast<const char*>(key.by), sizeof key.by));
    case IPCSCOPE_STAT_BY_PID: return process(key.by[0]);
    case IPCSCOPE_STAT_BY_CGROUP: return cgroup(key.by[0]);
    default: return {};
    }
}

SafeText StatNames::process(std::uint64_t pid)
{
    const auto [at, is_new] = known_.try_emplace(pid);
    if (is_new) {
        std::ifstream file(fmt::format("/proc/{}/comm", pid), std::ios::binary);
        std::string name(std::istreambuf_iterator<char>(file), {});
        if (name.ends_with('\n')) {
            name.pop_back();
        }
        at->second = SafeText::escape(name);
    }
    return at->second;
}

SafeText StatNames::cgroup(std::uint64_t id)
{
    if (!known_.contains(id)) {
        find_cgroups();
        known_.try_emplace(id);   // gone: it is not looked for again
    }
    return known_.at(id);
}

void StatNames::find_cgroups()
{
    const std::string mount = proc::cgroup_mount();
    proc::for_each_cgroup(mount, [&](const std::string& path) {
        struct stat info {};
        if (stat((mount + path).c_str(), &info) == 0) {
            known_.try_emplace(info.st_ino, SafeText::escape(path));
        }
        return true;
    });
}

}  // namespace ipcscope::source
