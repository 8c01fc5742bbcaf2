// SPDX-License-Identifier: GPL-2.0-only
// What a file descriptor that came by a socket is of, in words.
#pragma once

#include <string>

#include "decode/event.hpp"

namespace ipcscope::decode {

/// "a listening TCP socket, port 8080", "the file log.txt", "an eventfd"; names are
/// escaped (SafeText).  What the record does not say it leaves out.
std::string file_words(const FdReceived& file);

}  // namespace ipcscope::decode
