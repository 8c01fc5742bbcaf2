// SPDX-License-Identifier: GPL-2.0-only
// Why the kernel took no program, in words.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ipcscope::source::bpf {

/// `error`: -errno of the load; `log`: libbpf's messages, with the verifier's; `lockdown`: what
/// the file of that name says, empty where there is none.
Error load_error(int error, const std::string& log, std::string_view lockdown = {});

/// That the kernel's BTF cannot be read: it has none, or `error` (errno) forbids it.
Error btf_error(int error);

}  // namespace ipcscope::source::bpf
