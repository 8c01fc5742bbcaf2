// SPDX-License-Identifier: GPL-2.0-only
#include "source/id_names.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "source/proc.hpp"

namespace ipcscope::source {
namespace {

constexpr std::size_t kMostCgroups = 65536;

/// Of the machine's own file: a name service may take seconds to answer.
std::map<std::uint32_t, std::string> read_users()
{
    std::map<std::uint32_t, std::string> users;
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen("/etc/passwd", "re"), fclose);
    while (file) {
        const passwd* entry = fgetpwent(file.get());
        if (entry == nullptr) {
            break;
        }
        users.try_emplace(entry->pw_uid, entry->pw_name);
    }
    return users;
}

}  // namespace

IdNames::IdNames()
    : mount_(proc::cgroup_mount()),
      cgroups_(mount_.empty() ? -1 : open(mount_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      users_(read_users())
{
}

/// By the handle of its directory, which needs no process in it and no search.  Empty where
/// it is gone, or the kernel refuses.
std::string IdNames::cgroup_path(std::uint64_t id) const
{
    constexpr int kKernfs = 0xfe;   // FILEID_KERNFS
    std::array<char, sizeof(file_handle) + sizeof id> bytes{};
    auto* handle = reinterpret_cast<file_handle*>(bytes.data());
    handle->handle_bytes = sizeof id;
    handle->handle_type = kKernfs;
    std::memcpy(handle->f_handle, &id, sizeof id);
    const Fd directory(cgroups_ ? open_by_handle_at(cgroups_.get(), handle, O_PATH | O_CLOEXEC)
                                : -1);
    std::array<char, Notes::kMostText> text;
    const std::string link = fmt::format("/proc/self/fd/{}", directory.get());
    const ssize_t size = directory ? readlink(link.c_str(), text.data(), text.size()) : -1;
    const std::string_view path(text.data(), static_cast<std::size_t>(size > 0 ? size : 0));
    if (path.size() < mount_.size() || !path.starts_with(mount_)) {
        return {};
    }
    return path.size() == mount_.size() ? "/" : std::string(path.substr(mount_.size()));
}

void IdNames::saw(const ipcscope_header& header, std::uint32_t uid, std::uint64_t cgroup,
                  Notes& notes)
{
    ipcscope_name record{};
    record.header.time_ns = header.time_ns;
    record.header.tgid = header.tgid;
    record.header.tid = header.tid;
    if (const auto user = users_.extract(uid)) {
        record.id = uid;
        notes.add(record, IPCSCOPE_USER, user.mapped());
    }
    if (cgroup != 0 && seen_.size() < kMostCgroups && seen_.insert(cgroup).second) {
        record.id = cgroup;
        if (const std::string path = cgroup_path(cgroup); !path.empty()) {
            notes.add(record, IPCSCOPE_CGROUP, path);
        }
    }
}

}  // namespace ipcscope::source
