// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace wcs_node_agent {

/// Where the statistics page is: `http[s]://HOST[:PORT][/PATH][?QUERY]`, taken apart.
struct WcsUrl {
    std::string text;         // as it was written, for messages
    std::string host;         // a name or an address, IPv6 without brackets
    std::uint16_t port = 80;  // 1..65535
    std::string target;       // path and query, as sent
    bool tls = false;         // https

    /// The Host header: an IPv6 address in brackets, the port unless it is the default one.
    std::string host_header() const {
        std::string value = host.find(':') == std::string::npos ? host : '[' + host + ']';
        if (port != (tls ? 443 : 80)) value += ':' + std::to_string(port);
        return value;
    }

    bool operator==(const WcsUrl&) const = default;
};

}  // namespace wcs_node_agent
