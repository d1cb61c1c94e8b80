// SPDX-License-Identifier: Apache-2.0
#include "serve/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace wcs_node_agent {

namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The length of the well-formed sequence that the text begins with, or 0. Overlong forms,
// surrogates and what lies past U+10FFFF are not well-formed (RFC 3629).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint8_t>(i < text.size() ? text[i] : 0);
    };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    std::uint8_t least = 0x80;
    std::uint8_t greatest = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        if (lead == 0xE0) least = 0xA0;
        if (lead == 0xED) greatest = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) least = 0x90;
        if (lead == 0xF4) greatest = 0x8F;
    } else {
        return 0;
    }
    if (length > text.size() || byte(1) < least || byte(1) > greatest) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (!continues(text[i])) return 0;
    return length;
}

}  // namespace

std::string valid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const std::size_t length = sequence_length(bytes);
        if (length > 0)
            text.append(bytes.substr(0, length));
        else
            text += '?';
        bytes.remove_prefix(length > 0 ? length : 1);
    }
    return text;
}

}  // namespace wcs_node_agent
