// SPDX-License-Identifier: Apache-2.0
#include "http/client_hello.hpp"

namespace wcs_node_agent {

// RFC 8446, 5.1: type (1 byte), version (2), length (2); 4: type (1), length (3).
FirstRecord first_record(std::span<const unsigned char> bytes) {
    constexpr std::size_t header = 5;
    constexpr unsigned char handshake = 22;
    constexpr unsigned char client_hello = 1;
    constexpr std::size_t longest = longest_first_record - header;
    const auto is = [&](std::size_t at, unsigned char value) {
        return bytes.size() <= at || bytes[at] == value;
    };
    if (!is(0, handshake) || !is(1, 3) || !is(header, client_hello)) return FirstRecord::not_tls;
    if (bytes.size() < header) return FirstRecord::unfinished;
    const auto length = static_cast<std::size_t>(bytes[3] << 8 | bytes[4]);
    if (length == 0 || length > longest) return FirstRecord::not_tls;
    return bytes.size() < header + length ? FirstRecord::unfinished : FirstRecord::whole;
}

}  // namespace wcs_node_agent
