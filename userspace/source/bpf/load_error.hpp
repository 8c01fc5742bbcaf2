// SPDX-License-Identifier: GPL-2.0-only
// Why the kernel took no program, in words.
#pragma once

#include <string>

#include "base/result.hpp"

namespace ipcscope::source::bpf {

/// `error`: -errno of the load; `log`: libbpf's messages, with the verifier's.
Error load_error(int error, const std::string& log);

}  // namespace ipcscope::source::bpf
