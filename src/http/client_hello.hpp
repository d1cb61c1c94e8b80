// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace wcs_node_agent {

/// What a connection to a TLS port begins with. Only the lengths and types of the first record are
/// looked at; TLS itself is OpenSSL's.
enum class FirstRecord {
    unfinished,  // it may become one
    whole,       // a ClientHello, or the first part of one; more may follow
    not_tls,
};

FirstRecord first_record(std::span<const unsigned char> bytes);

/// Header and content of the longest record (RFC 8446, 5.1). A ClientHello has 200 bytes to 2 KiB,
/// with keys for quantum computers' time.
inline constexpr std::size_t longest_first_record = 5 + (1 << 14);

}  // namespace wcs_node_agent
