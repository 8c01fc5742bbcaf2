// SPDX-License-Identifier: GPL-2.0-only
#include "base/safe_text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope {
namespace {

/// What a reader of the output would undo; nullopt where it is not our escaping.
std::optional<std::string> unescape(std::string_view text)
{
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string out;
    while (!text.empty()) {
        if (text.front() != '\\') {
            out += text.front();
            text.remove_prefix(1);
        } else if (text.starts_with("\\\\")) {
            out += '\\';
            text.remove_prefix(2);
        } else if (text.size() >= 4 && text[1] == 'x' && digit(text[2]) >= 0 &&
                   digit(text[3]) >= 0) {
            out += static_cast<char>(digit(text[2]) * 16 + digit(text[3]));
            text.remove_prefix(4);
        } else {
            return std::nullopt;
        }
    }
    return out;
}

/// Decodes one code point by the letter of RFC 3629, apart from utf8proc.
std::optional<char32_t> take_code_point(std::string_view& text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || text.size() < length)
        return std::nullopt;
    char32_t point = length == 1 ? first : first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
        point = point << 6 | (byte(i) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return std::nullopt;
    text.remove_prefix(length);
    return point;
}

bool is_harmless(char32_t point)
{
    return point >= 0x20 && !(point >= 0x7f && point <= 0xa0) && point != 0xad &&
           !(point >= 0x200b && point <= 0x200f) &&  // zero-width, direction marks
           !(point >= 0x2028 && point <= 0x202e) &&  // line ends, bidi
           !(point >= 0x2060 && point <= 0x206f) && point != 0x61c && point != 0xfeff &&
           !(point >= 0xe000 && point <= 0xf8ff) && point < 0xe0000 &&
           (point & 0xffff) < 0xfffe;
}

/// Everything that the type promises of its text.
void check(std::string_view input)
{
    const SafeText safe = SafeText::escape(input);
    for (std::string_view rest = safe.view(); !rest.empty();) {
        const auto point = take_code_point(rest);
        ASSERT_TRUE(point) << "not UTF-8: " << safe.str();
        ASSERT_TRUE(is_harmless(*point))
            << std::hex << unsigned{*point} << " in " << safe.str();
    }
    ASSERT_EQ(unescape(safe.view()), std::string{input});
}

std::string utf8(char32_t point)
{
    const auto tail = [&](unsigned shift) {
        return static_cast<char>(0x80 | (point >> shift & 0x3f));
    };
    if (point < 0x80) return {static_cast<char>(point)};
    if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
    if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0)};
}

std::string escaped(std::string_view input) { return SafeText::escape(input).str(); }

TEST(SafeText, PassesOrdinaryText)
{
    EXPECT_EQ(escaped("kworker/u8:2-events"), "kworker/u8:2-events");
    EXPECT_EQ(escaped(""), "");
    EXPECT_EQ(escaped("a b~!\"<>&'"), "a b~!\"<>&'");
    EXPECT_EQ(escaped("größe"), "größe");
    EXPECT_EQ(escaped("日本語"), "日本語");
    EXPECT_EQ(escaped("🔥"), "🔥");
    EXPECT_EQ(escaped("е\u0301"), "е\u0301");  // a mark on its base
}

TEST(SafeText, EscapesWhatCouldActOnATerminal)
{
    EXPECT_EQ(escaped("\x1b[2J"), "\\x1b[2J");
    EXPECT_EQ(escaped("a\nb\tc\rd"), "a\\x0ab\\x09c\\x0dd");
    EXPECT_EQ(escaped("\x7f"), "\\x7f");
    EXPECT_EQ(escaped("\u009b31m"), "\\xc2\\x9b31m");  // C1 CSI
    EXPECT_EQ(escaped("\x9b"
                      "31m"),
              "\\x9b31m");  // the same as one byte
    EXPECT_EQ(escaped(std::string_view{"a\0b", 3}), "a\\x00b");
    EXPECT_EQ(escaped("\\x41"), "\\\\x41");
}

TEST(SafeText, EscapesWhatHidesOrReorders)
{
    EXPECT_EQ(escaped("\u202eexe.txt"), "\\xe2\\x80\\xaeexe.txt");
    EXPECT_EQ(escaped("a\u200bb"), "a\\xe2\\x80\\x8bb");
    EXPECT_EQ(escaped("\u2066a\u2069"), "\\xe2\\x81\\xa6a\\xe2\\x81\\xa9");
    EXPECT_EQ(escaped("\ufeff"), "\\xef\\xbb\\xbf");
    EXPECT_EQ(escaped("\u00ad"), "\\xc2\\xad");
    EXPECT_EQ(escaped("\u2028"), "\\xe2\\x80\\xa8");
    EXPECT_EQ(escaped("a\u00a0b"), "a\\xc2\\xa0b");            // looks like a space
    EXPECT_EQ(escaped("\u3164"), "\\xe3\\x85\\xa4");           // a letter that shows nothing
    EXPECT_EQ(escaped("a\ufe0f"), "a\\xef\\xb8\\x8f");         // variation selector
    EXPECT_EQ(escaped("\ue000"), "\\xee\\x80\\x80");           // private use
    EXPECT_EQ(escaped("\U000e0041"), "\\xf3\\xa0\\x81\\x81");  // tag
    EXPECT_EQ(escaped("\U0010ffff"), "\\xf4\\x8f\\xbf\\xbf");
    EXPECT_EQ(escaped("\u0378"), "\\xcd\\xb8");  // unassigned
}

TEST(SafeText, EscapesInvalidUtf8ByteByByte)
{
    EXPECT_EQ(escaped("\x80"), "\\x80");
    EXPECT_EQ(escaped("\xc0\xaf"), "\\xc0\\xaf");  // overlong /
    EXPECT_EQ(escaped("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
    EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
    EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(escaped("\xff\xfe"), "\\xff\\xfe");
    EXPECT_EQ(escaped("\xe6\x97"), "\\xe6\\x97");  // cut
    EXPECT_EQ(escaped("\xe6\x97"
                      "a"),
              "\\xe6\\x97"
              "a");
}

TEST(SafeText, EscapesMarksThatWouldJoinOurText)
{
    EXPECT_EQ(escaped("\u0301a"),
              "\\xcc\\x81"
              "a");
    EXPECT_EQ(escaped("\n\u0301"), "\\x0a\\xcc\\x81");
    EXPECT_EQ(escaped("\\\u0301"), "\\\\\\xcc\\x81");
    const std::string mark = "\u0301";
    EXPECT_EQ(escaped("a" + mark + mark + mark + mark + mark),
              "a" + mark + mark + mark + mark + "\\xcc\\x81");
}

TEST(SafeText, NameEndsAtTheFirstNulOrWhenItIsFull)
{
    const std::array<char, 16> full{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',
                                    'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p'};
    EXPECT_EQ(SafeText::name(full).str(), "abcdefghijklmnop");
    const std::array<char, 6> ended{'a', '\n', '\0', 'x', 'y', 'z'};
    EXPECT_EQ(SafeText::name(ended).str(), "a\\x0a");
    EXPECT_TRUE(SafeText::name(std::array<char, 2>{}).empty());
    EXPECT_TRUE(SafeText::name({}).empty());
}

TEST(SafeText, WidthCountsColumns)
{
    EXPECT_EQ(SafeText::escape("").width(), 0U);
    EXPECT_EQ(SafeText::escape("abc").width(), 3U);
    EXPECT_EQ(SafeText::escape("größe").width(), 5U);
    EXPECT_EQ(SafeText::escape("日本").width(), 4U);
    EXPECT_EQ(SafeText::escape("e\u0301").width(), 1U);
    EXPECT_EQ(SafeText::escape("\n").width(), 4U);
}

TEST(SafeText, EveryByteInEveryPosition)
{
    for (const std::string_view around : {"abcd", "äöü", "日本", "\xff\x80\xe6", "\\\\\\"})
        for (std::size_t at = 0; at <= around.size(); ++at)
            for (unsigned byte = 0; byte < 256; ++byte) {
                std::string input{around};
                input.insert(at, 1, static_cast<char>(byte));
                ASSERT_NO_FATAL_FAILURE(check(input));
            }
}

TEST(SafeText, EveryPairOfBytes)
{
    for (unsigned pair = 0; pair < 65536; ++pair)
        ASSERT_NO_FATAL_FAILURE(
            check(std::string{static_cast<char>(pair >> 8), static_cast<char>(pair)}));
}

TEST(SafeText, EveryCodePoint)
{
    std::size_t shown = 0;
    for (char32_t point = 0; point <= 0x10ffff; ++point) {
        const std::string alone = utf8(point);
        ASSERT_NO_FATAL_FAILURE(check(alone));
        shown += escaped("x" + alone).find('\\') == std::string::npos;
    }
    EXPECT_GT(shown, 130'000U);  // letters of every script, not only ASCII
    EXPECT_LT(shown, 200'000U);
}

TEST(SafeText, AnyBytesStayApart)
{
    EXPECT_TRUE(rc::check("escape is harmless and can be undone", [](const std::string& input) {
        check(input);
        RC_ASSERT(!testing::Test::HasFatalFailure());
    }));
    EXPECT_TRUE(rc::check("also of text near our own escapes", [] {
        const auto parts = *rc::gen::container<std::vector<std::string>>(
            rc::gen::element<std::string>("\\", "x", "4", "1", "\\x41", "A", "\xcc", "\x81",
                                          "\xcc\x81", "e", "\xe2\x80\xae", "\xe2"));
        std::string input;
        for (const std::string& part : parts) input += part;
        check(input);
        RC_ASSERT(!testing::Test::HasFatalFailure());
    }));
}

}  // namespace
}  // namespace ipcscope
