// SPDX-License-Identifier: GPL-2.0-only
// Recoverable errors are values: Result<T> carries a T or an Error.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace ipcscope {

/// Exit codes of the ipcscope command (documented in docs/ipcscope.1).
enum class Exit : int {
    ok = 0,
    threshold = 1,   ///< a threshold or regression check failed
    usage = 2,       ///< bad command line
    permission = 3,  ///< a privilege is missing
    kernel = 4,      ///< this kernel lacks something that is needed
    lost = 5,        ///< events were lost and --on-loss=exit was given
    input = 6,       ///< bad or truncated input, or output that cannot be written
    producer = 7,    ///< the producer of events died
};

/// One line for the user: what failed, where, and how to fix it.
struct Error {
    Exit code = Exit::input;
    std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Exit code, std::string message)
{
    return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace ipcscope
