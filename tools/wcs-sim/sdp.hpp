// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <string>
#include <string_view>

namespace wcs_node_agent::sim {

/// Which way the media of a stream would flow, seen from the server.
enum class MediaDirection { receive, send };

/// A browser's certificate and ICE credentials, as far as an answer names them.
struct IceIdentity {
    std::string fragment;     // ice-ufrag, 4 characters or more
    std::string password;     // ice-pwd, 22 characters or more
    std::string fingerprint;  // SHA-256, 32 bytes as XX:XX:...
};

/// Made up: no key is behind the fingerprint.
IceIdentity random_ice_identity();

/// An SDP answer (RFC 8829) that takes every media section of the offer with all of its codecs, for
/// media that nobody sends or receives: it names no ICE candidate. The error says what the offer
/// lacks.
Result<std::string> sdp_answer(std::string_view offer, MediaDirection direction,
                               const IceIdentity& identity);

}  // namespace wcs_node_agent::sim
