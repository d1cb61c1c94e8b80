// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/config.hpp>

namespace wcs_node_agent {
namespace {

namespace ip = boost::asio::ip;

AllowList loopback() {
    return {.v4 = {ip::network_v4(ip::make_address_v4("127.0.0.0"), 8)},
            .v6 = {ip::network_v6(ip::address_v6::loopback(), 128)}};
}

}  // namespace

Config::Config()
    : agent_listen{{ip::address_v4::any(), 9707}, {ip::address_v6::any(), 9707}},
      allow(loopback()),
      metrics_listen{{ip::address_v4::loopback(), 9708}},
      metrics_allow(loopback()) {
    for (const Limit limit : all_limits) {
        limits[limit] = 100;
    }
    limits[Limit::cpu] = 90;
}

}  // namespace wcs_node_agent
