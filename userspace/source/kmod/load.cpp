// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/load.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <libkmod.h>

namespace ipcscope::source::kmod {
namespace {

constexpr const char kModule[] = "ipcscope";

struct Unref {
    void operator()(kmod_ctx* context) const { kmod_unref(context); }
    void operator()(kmod_list* list) const { kmod_module_unref_list(list); }
    void operator()(kmod_module* module) const { kmod_module_unref(module); }
};

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
    const std::unique_ptr<kmod_ctx, Unref> context(kmod_new(nullptr, nullptr));
    if (!context) {
        return tl::unexpected<Error>(load_error(ENOMEM));
    }
    kmod_set_log_fn(context.get(), say_nothing, nullptr);
    kmod_list* found = nullptr;
    if (kmod_module_new_from_lookup(context.get(), kModule, &found) < 0 || !found) {
        return tl::unexpected<Error>(load_error(ENOENT));
    }
    const std::unique_ptr<kmod_list, Unref> list(found);
    const std::unique_ptr<kmod_module, Unref> module(kmod_module_get_module(found));
    const int error = kmod_module_probe_insert_module(module.get(), 0, nullptr, nullptr, nullptr,
                                                      nullptr);
    if (error != 0) {
        // Positive: a probe that was not applied, as by a blacklist.
        return tl::unexpected<Error>(load_error(error < 0 ? -error : EPERM));
    }
    return {};
}

}  // namespace ipcscope::source::kmod
