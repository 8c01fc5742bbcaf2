// SPDX-License-Identifier: GPL-2.0-only
#include "source/places.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/container.hpp"
#include "base/safe_text.hpp"

namespace ipcscope::source {
namespace {

using Matches = bool (*)(const Place& place, std::string_view wanted);

struct Kind {
    std::string_view option;
    Matches matches;
    std::string_view what;   ///< there is no such
    std::string_view fix;
};

constexpr Kind kContainer{"--container", is_container, "container",
                          "give the ID, or its beginning, as docker ps or podman ps shows it; names "
                          "work only for lxc"};
constexpr Kind kUnit{"--unit", is_unit, "running unit",
                     "see systemctl status, and give its name as nginx.service"};

Result<void> add(std::vector<std::string>& found, const Kind& kind, const std::string& wanted,
                 const std::string& mount)
{
    if (mount.empty()) {
        return fail(Exit::usage, fmt::format("{}: cgroup v2 is not mounted; use --pid with -f",
                                             kind.option));
    }
    const std::size_t before = found.size();
    proc::for_each_cgroup(mount, [&](const std::string& path) {
        const bool matches = kind.matches(place_of(path), wanted);
        if (matches) {
            found.push_back(mount + path);
        }
        return !matches;
    });
    if (found.size() == before) {
        return fail(Exit::usage,
                    fmt::format("{} {}: there is no such {} below {}; {}", kind.option,
                                SafeText::escape(wanted).str(), kind.what, mount, kind.fix));
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> find_places(const std::vector<std::string>& containers,
                                             const std::vector<std::string>& units,
                                             const std::string& mount)
{
    std::vector<std::string> found;
    Result<void> added;
    for (const std::string& container : containers) {
        added = added.and_then([&] { return add(found, kContainer, container, mount); });
    }
    for (const std::string& unit : units) {
        added = added.and_then([&] { return add(found, kUnit, unit, mount); });
    }
    return added.map([&] { return std::move(found); });
}

}  // namespace ipcscope::source
