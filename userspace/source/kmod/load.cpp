// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/load.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>
#include <libkmod.h>

#include "source/kmod/kmod_source.hpp"

namespace ipcscope::source::kmod {
namespace {

constexpr const char kModule[] = "ipcscope";

struct Unref {
    void operator()(kmod_ctx* context) const { kmod_unref(context); }
    void operator()(kmod_list* list) const { kmod_module_unref_list(list); }
    void operator()(kmod_module* module) const { kmod_module_unref(module); }
};

using Context = std::unique_ptr<kmod_ctx, Unref>;
using Module = std::unique_ptr<kmod_module, Unref>;

/// Installed for the running kernel, as modprobe finds it.
Module installed(kmod_ctx* context)
{
    kmod_list* found = nullptr;
    if (kmod_module_new_from_lookup(context, kModule, &found) < 0 || !found) {
        return nullptr;
    }
    const std::unique_ptr<kmod_list, Unref> list(found);
    return Module(kmod_module_get_module(found));
}

/// Whether the module says that it is for the running kernel ("6.12.0 SMP …").
bool is_for_this_kernel(const kmod_module* module)
{
    utsname names{};
    uname(&names);
    const std::string release = names.release;
    kmod_list* info = nullptr;
    bool right = false;
    if (kmod_module_get_info(module, &info) < 0) {
        return false;
    }
    for (kmod_list* at = info; at; at = kmod_list_next(info, at)) {
        const std::string_view value = kmod_module_info_get_value(at);
        right |= std::string_view(kmod_module_info_get_key(at)) == "vermagic" &&
                 value.substr(0, value.find(' ')) == release;
    }
    kmod_module_info_free_list(info);
    return right;
}

/// Built beside this very program: build/kmod/KERNEL/ipcscope.ko of build/ipcscope.
Module built(kmod_ctx* context)
{
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    for (const auto& folder :
         std::filesystem::directory_iterator(program.parent_path() / "kmod", error)) {
        const std::string file = folder.path() / (std::string(kModule) + ".ko");
        kmod_module* module = nullptr;
        if (kmod_module_new_from_path(context, file.c_str(), &module) < 0) {
            continue;
        }
        Module held(module);
        if (is_for_this_kernel(module)) {
            return held;
        }
    }
    return nullptr;
}

/// Whatever libkmod has to say is in our one line.
void say_nothing(void*, int, const char*, int, const char*, const char*, va_list)
{
}

}  // namespace

Error load_error(int error)
{
    switch (error) {
    case ENOENT:
        return {Exit::kernel,
                "the kernel module ipcscope is neither loaded nor installed for this kernel: "
                "build it (make kmod KDIR=/lib/modules/$(uname -r)/build), then insmod "
                "build/kmod/own/ipcscope.ko; or install it by DKMS (make install-dkms)"};
    case ENOEXEC:
        return {Exit::kernel,
                "the installed kernel module ipcscope is for another kernel (the kernel log says "
                "which): build it for this one, make kmod KDIR=/lib/modules/$(uname -r)/build"};
    case EKEYREJECTED:
    case ENOKEY:
        return {Exit::permission,
                "this kernel loads signed modules only (lockdown, or module.sig_enforce), and the "
                "kernel module ipcscope is not: sign it with a key that the kernel trusts, or use "
                "--backend bpf"};
    case EPERM:
        return {Exit::permission,
                "the kernel module ipcscope may not be loaded: run as root, and see that neither "
                "lockdown nor kernel.modules_disabled forbids it"};
    default:
        return {Exit::kernel, fmt::format("the kernel module ipcscope cannot be loaded: {}",
                                          std::strerror(error))};
    }
}

Result<void> load()
{
    const Context context(kmod_new(nullptr, nullptr));
    if (!context) {
        return tl::unexpected<Error>(load_error(ENOMEM));
    }
    kmod_set_log_fn(context.get(), say_nothing, nullptr);
    int error = 0;
    if (const Module module = installed(context.get())) {
        // Positive: a probe that was not applied, as by a blacklist.
        error = kmod_module_probe_insert_module(module.get(), 0, nullptr, nullptr, nullptr,
                                                nullptr);
        error = error > 0 ? -EPERM : error;
    } else if (const Module own = built(context.get())) {
        error = kmod_module_insert_module(own.get(), 0, nullptr);
    } else {
        error = -ENOENT;
    }
    if (error != 0) {
        return tl::unexpected<Error>(load_error(-error));
    }
    return {};
}

Result<LoadedModule> LoadedModule::load()
{
    if (loaded()) {
        return LoadedModule(false);
    }
    return kmod::load().map([] { return LoadedModule(true); });
}

/// Another that uses it meanwhile keeps it.
LoadedModule::~LoadedModule()
{
    if (ours_) {
        syscall(SYS_delete_module, kModule, O_NONBLOCK);
    }
}

}  // namespace ipcscope::source::kmod
