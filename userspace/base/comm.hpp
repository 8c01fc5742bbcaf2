// SPDX-License-Identifier: GPL-2.0-only
// A kernel task name as bytes: small, trivially copyable, never printed as it is.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <string_view>

#include "base/safe_text.hpp"

namespace ipcscope {

/// Up to 16 bytes that a process chose.  SafeText is the only way to print them.
class Comm {
public:
    static constexpr std::size_t kMost_bytes = 16;

    constexpr Comm() = default;
    /// Cut to 16 bytes, and at the first NUL.
    constexpr Comm(std::string_view name)   // NOLINT: a name is a Comm
    {
        const auto length = std::min({name.size(), name.find('\0'), kMost_bytes});
        std::copy_n(name.begin(), length, bytes_.begin());
    }
    constexpr Comm(const char* name) : Comm(std::string_view(name)) {}   // NOLINT

    bool empty() const { return bytes_[0] == '\0'; }
    SafeText text() const { return SafeText::name(bytes_); }

    friend bool operator==(const Comm&, const Comm&) = default;
    friend auto operator<=>(const Comm&, const Comm&) = default;

private:
    std::array<char, kMost_bytes> bytes_{};   ///< padded with NULs
};

}  // namespace ipcscope
