// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace wcs_node_agent {

/// Which addresses may connect. An IPv4-mapped IPv6 source is held against the IPv4 networks.
struct AllowList {
    std::vector<boost::asio::ip::network_v4> v4;
    std::vector<boost::asio::ip::network_v6> v6;

    static AllowList loopback() {
        namespace ip = boost::asio::ip;
        return {.v4 = {ip::network_v4(ip::make_address_v4("127.0.0.0"), 8)},
                .v6 = {ip::network_v6(ip::address_v6::loopback(), 128)}};
    }

    bool contains(const boost::asio::ip::address& source) const {
        namespace ip = boost::asio::ip;
        if (source.is_v4()) return any_holds(v4, source.to_v4());
        const auto source_v6 = source.to_v6();
        if (source_v6.is_v4_mapped())
            return any_holds(v4, ip::make_address_v4(ip::v4_mapped, source_v6));
        // Without its zone (the `%eth0` of a link-local source), which no network has.
        return any_holds(v6, ip::address_v6(source_v6.to_bytes()));
    }

    bool operator==(const AllowList&) const = default;

 private:
    template <class Network, class Address>
    static bool any_holds(const std::vector<Network>& networks, const Address& source) {
        return std::ranges::any_of(networks, [&](const Network& network) {
            return Network(source, network.prefix_length()).canonical() == network.canonical();
        });
    }
};

}  // namespace wcs_node_agent
