// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/config.hpp>

#include <algorithm>

namespace wcs_node_agent {

namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::network_v4;
using boost::asio::ip::network_v6;

bool holds(const network_v4& network, const address_v4& source) {
    return network_v4(source, network.prefix_length()).canonical() == network.canonical();
}

// Without its zone (the `%eth0` of a link-local source), which no network has.
bool holds(const network_v6& network, const address_v6& source) {
    const address_v6 bare(source.to_bytes());
    return network_v6(bare, network.prefix_length()).canonical() == network.canonical();
}

template <class Networks, class Address>
bool any_holds(const Networks& networks, const Address& source) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const auto& network) { return holds(network, source); });
}

}  // namespace

bool AllowList::contains(const address& source) const {
    if (source.is_v4()) return any_holds(v4, source.to_v4());
    const address_v6 source_v6 = source.to_v6();
    if (source_v6.is_v4_mapped())
        return any_holds(v4, make_address_v4(boost::asio::ip::v4_mapped, source_v6));
    return any_holds(v6, source_v6);
}

}  // namespace wcs_node_agent
