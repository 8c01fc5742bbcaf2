// SPDX-License-Identifier: GPL-2.0-only
// The container and the systemd unit that a process runs in, by the path of its cgroup.
#pragma once

#include <string>
#include <string_view>

namespace ipcscope {

struct Place {
    /// "docker", "podman", "containerd", "cri-o", "lxc"; "kubernetes", "container" where the
    /// path does not say by whom; empty: in none.
    std::string_view runtime;
    std::string container;     ///< its id of 64 hexadecimal digits, or its name (lxc)
    std::string unit;          ///< "nginx.service", "session-3.scope"; empty: none

    friend bool operator==(const Place&, const Place&) = default;
};

/// `path` from the root of the hierarchy: "/system.slice/nginx.service".  Of containers, or
/// units, inside of each other the innermost one; of a container that has a scope of its own
/// that is no unit.
Place place_of(std::string_view path);

/// An id in the 12 digits that runtimes show; another name as it is.
std::string_view short_id(std::string_view container);

/// Whether an id or a name begins so.
bool is_container(const Place& place, std::string_view wanted);
/// Whether it is of that name; ".service" may be left out.
bool is_unit(const Place& place, std::string_view wanted);

}  // namespace ipcscope
