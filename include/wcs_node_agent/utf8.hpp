// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/locale/utf.hpp>

namespace wcs_node_agent {

/// The code point that the text begins with, which is taken off. Where it begins with no
/// well-formed sequence (RFC 3629), one byte is taken off, and the point is not a valid one
/// (boost::locale::utf::is_valid_codepoint).
inline boost::locale::utf::code_point take_code_point(std::string_view& text) {
    const char* at = text.data();
    const auto point = boost::locale::utf::utf_traits<char>::decode(at, at + text.size());
    const bool valid = boost::locale::utf::is_valid_codepoint(point);
    text.remove_prefix(valid ? static_cast<std::size_t>(at - text.data()) : 1);
    return point;
}

/// The text with each byte that is not part of well-formed UTF-8 replaced by `?`. Interface names
/// and what WCS sends may hold any bytes, but a single wrong one makes Prometheus refuse a whole
/// page.
inline std::string valid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto before = bytes;
        if (boost::locale::utf::is_valid_codepoint(take_code_point(bytes)))
            text += before.substr(0, before.size() - bytes.size());
        else
            text += '?';
    }
    return text;
}

/// Whether the text is well-formed UTF-8 without control characters: what metrics, JSON and a
/// terminal can show as it is.
inline bool is_printable_utf8(std::string_view text) {
    const auto is_not_printable_ascii = [](char c) { return c < ' ' || c > '~'; };
    while (true) {  // ASCII, nearly all there is, needs no decoding
        const auto rest = std::ranges::find_if(text, is_not_printable_ascii);
        text.remove_prefix(static_cast<std::size_t>(rest - text.begin()));
        if (text.empty()) return true;
        const auto point = take_code_point(text);
        if (!boost::locale::utf::is_valid_codepoint(point) || point < 0x20 || point == 0x7f)
            return false;
    }
}

}  // namespace wcs_node_agent
