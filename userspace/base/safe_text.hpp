// SPDX-License-Identifier: GPL-2.0-only
// The only way from bytes that a process chose to text that we print.
#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ipcscope {

/// Text that is safe on a terminal, in JSON and in HTML text: valid UTF-8
/// without control, format (bidi, zero-width), invisible, surrogate, private-use
/// or unassigned characters, without spaces other than U+0020 and without marks
/// that lack a base.  Every other byte appears as \xHH and a backslash as \\, so
/// that two different inputs never give the same text.
class SafeText {
public:
    SafeText() = default;

    /// Escapes `bytes`.  Embedded NULs are escaped like any control byte.
    static SafeText escape(std::string_view bytes);

    /// Escapes a fixed-size kernel name: up to the first NUL or its full size.
    static SafeText name(std::span<const char> bytes);

    const std::string& str() const { return text_; }
    std::string_view view() const { return text_; }
    bool empty() const { return text_.empty(); }
    std::size_t width() const;  ///< columns on a terminal

    friend bool operator==(const SafeText&, const SafeText&) = default;
    friend auto operator<=>(const SafeText&, const SafeText&) = default;

private:
    explicit SafeText(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace ipcscope
