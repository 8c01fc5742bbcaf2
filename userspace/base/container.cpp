// SPDX-License-Identifier: GPL-2.0-only
#include "base/container.hpp"

#include <algorithm>
#include <array>

namespace ipcscope {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kShownDigits = 12;

/// A directory that is called PREFIX ID SUFFIX.
struct Form {
    std::string_view prefix;
    std::string_view suffix;
    std::string_view runtime;
};

/// ".scope": made by systemd; without: by the runtime itself (cgroupfs), or below a unit
/// that podman was started in (--cgroups=split).  Those of the monitors (libpod-conmon-ID,
/// crio-conmon-ID) are none of a container.
constexpr std::array kForms{
    Form{"docker-", ".scope", "docker"},
    Form{"libpod-", ".scope", "podman"},
    Form{"libpod-", "", "podman"},
    Form{"libpod-payload-", "", "podman"},
    Form{"cri-containerd-", ".scope", "containerd"},
    Form{"nerdctl-", ".scope", "containerd"},
    Form{"crio-", ".scope", "cri-o"},
    Form{"crio-", "", "cri-o"},
};

bool is_id(std::string_view text)
{
    return text.size() == kIdDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What is between them; empty where it is not of that form.
std::string_view between(std::string_view name, std::string_view prefix, std::string_view suffix)
{
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
        return {};
    }
    return name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
}

/// Of a directory that is called by the id alone.
std::string_view runtime_of(std::string_view parent, bool in_pod)
{
    return parent == "docker" ? "docker" : in_pod ? "kubernetes" : "container";
}

/// Fills runtime and container where the directory is a container's own.
bool find_container(std::string_view name, std::string_view parent, bool in_pod, Place& place)
{
    for (const Form& form : kForms) {
        const std::string_view id = between(name, form.prefix, form.suffix);
        if (is_id(id)) {
            place.runtime = form.runtime;
            place.container = id;
            return true;
        }
    }
    if (is_id(name)) {
        place.runtime = runtime_of(parent, in_pod);
        place.container = name;
        return true;
    }
    const std::string_view payload = parent == "lxc" || parent == "lxc.payload"
                                         ? name
                                         : between(name, "lxc.payload.", "");
    if (!payload.empty()) {
        place.runtime = "lxc";
        place.container = payload;
    }
    return !payload.empty();
}

/// The unit's name, from that of its directory, which systemd may have escaped by a "_".
std::string_view unit_of(std::string_view name)
{
    for (const std::string_view suffix : {".service", ".scope"}) {
        if (!between(name, "", suffix).empty()) {
            return name.starts_with('_') ? name.substr(1) : name;
        }
    }
    return {};
}

}  // namespace

Place place_of(std::string_view path)
{
    Place place;
    std::string_view parent;
    bool in_pod = false;
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(name.size() + 1, path.size()));
        if (name.empty()) {
            continue;
        }
        if (find_container(name, parent, in_pod, place)) {
            // A unit below it is one of its own.
        } else if (const std::string_view unit = unit_of(name); !unit.empty()) {
            place.unit = unit;
        }
        in_pod = in_pod || name.starts_with("kubepods");
        parent = name;
    }
    return place;
}

std::string_view short_id(std::string_view container)
{
    return is_id(container) ? container.substr(0, kShownDigits) : container;
}

bool is_container(const Place& place, std::string_view wanted)
{
    return !wanted.empty() && place.container.starts_with(wanted);
}

bool is_unit(const Place& place, std::string_view wanted)
{
    return !wanted.empty() && (place.unit == wanted ||
                               (place.unit.size() > wanted.size() &&
                                place.unit.starts_with(wanted) &&
                                std::string_view(place.unit).substr(wanted.size()) == ".service"));
}

}  // namespace ipcscope
