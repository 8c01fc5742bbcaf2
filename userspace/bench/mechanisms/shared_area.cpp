// SPDX-License-Identifier: GPL-2.0-only
#include "bench/mechanisms/shared_area.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <fmt/format.h>

#include "base/fd.hpp"

namespace ipcscope::bench {
namespace {

Result<SharedArea> map(int fd, std::size_t bytes, int flags)
{
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_POPULATE | flags, fd, 0);
    if (memory == MAP_FAILED) {
        return fail(Exit::kernel, fmt::format("mmap of {} bytes: {}; raise ulimit -v or "
                                              "vm.overcommit_memory",
                                              bytes, std::strerror(errno)));
    }
    return SharedArea(static_cast<std::byte*>(memory), Unmap{.bytes = bytes});
}

/// @param remedy  for a file system without space
Result<SharedArea> map_descriptor(const Fd& fd, std::string_view name, std::size_t bytes,
                                  std::string_view remedy)
{
    // Not ftruncate(): a full file system must fail here, not later by SIGBUS.
    if (const int error = posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes))) {
        return fail(Exit::kernel, fmt::format("{}: no {} bytes: {}; {}", name, bytes,
                                              std::strerror(error), remedy));
    }
    return map(fd.get(), bytes, 0);
}

}  // namespace

void Unmap::operator()(std::byte* memory) const
{
    if (sysv) {
        shmdt(memory);
    } else {
        munmap(memory, bytes);
    }
}

Result<SharedArea> map_posix_shm(NameRegistry& names, std::size_t bytes)
{
    auto name = names.reserve(NameRegistry::Kind::posix_shm);
    if (!name) {
        return tl::unexpected(name.error());
    }
    const Fd fd(shm_open(name->name().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) {
        return fail(Exit::kernel, fmt::format("shm_open: {}; mount a tmpfs on /dev/shm",
                                              std::strerror(errno)));
    }
    return map_descriptor(fd, "/dev/shm", bytes, "mount -o remount,size=64M /dev/shm");
}

Result<SharedArea> map_file(NameRegistry& names, std::size_t bytes)
{
    auto name = names.reserve(NameRegistry::Kind::file);
    if (!name) {
        return tl::unexpected(name.error());
    }
    const char* path = name->name().c_str();
    const Fd fd(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) {
        return fail(Exit::kernel, fmt::format("open {}: {}; set TMPDIR to a directory that "
                                              "can be written", path, std::strerror(errno)));
    }
    return map_descriptor(fd, path, bytes, "set TMPDIR to a file system that has space");
}

Result<SharedArea> map_anonymous(NameRegistry&, std::size_t bytes)
{
    return map(-1, bytes, MAP_ANONYMOUS);
}

Result<SharedArea> map_memfd(NameRegistry&, std::size_t bytes)
{
    const Fd fd(memfd_create("ipcscope", MFD_CLOEXEC));
    if (!fd) {
        return fail(Exit::kernel, fmt::format("memfd_create: {}; raise ulimit -n",
                                              std::strerror(errno)));
    }
    return map_descriptor(fd, "memfd", bytes, "free some memory");
}

Result<SharedArea> map_sysv_shm(NameRegistry& names, std::size_t bytes)
{
    auto name = names.reserve(NameRegistry::Kind::sysv_shm);
    if (!name) {
        return tl::unexpected(name.error());
    }
    const int id = shmget(name->key(), bytes, IPC_CREAT | IPC_EXCL | 0600);
    if (id < 0) {
        // EINVAL: more than shmmax; ENOSPC: shmmni segments or shmall pages.
        return fail(Exit::kernel,
                    fmt::format("shmget of {} bytes: {}; {}", bytes, std::strerror(errno),
                                errno == EINVAL
                                    ? fmt::format("sysctl kernel.shmmax={}", bytes)
                                    : "raise sysctl kernel.shmmni or kernel.shmall"));
    }
    void* memory = shmat(id, nullptr, 0);
    if (memory == reinterpret_cast<void*>(-1)) {
        return fail(Exit::kernel, fmt::format("shmat: {}; raise ulimit -v",
                                              std::strerror(errno)));
    }
    std::memset(memory, 0, bytes);  // there is no MAP_POPULATE for it
    return SharedArea(static_cast<std::byte*>(memory), Unmap{.bytes = bytes, .sysv = true});
}

}  // namespace ipcscope::bench
