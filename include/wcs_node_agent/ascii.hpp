// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// Whether it is a control character of ASCII, 0 to 31 or 127; a byte of a longer UTF-8 sequence is
/// none. A char has a sign on x86 and none on ARM.
constexpr bool is_ascii_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

}  // namespace wcs_node_agent
