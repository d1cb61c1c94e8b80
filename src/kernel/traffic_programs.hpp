// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// Descriptors of the loaded programs.
struct TrafficPrograms {
    int receive = -1;
    int transmit = -1;
};

/// Where the programs stand among those of others on the interface.
enum class HookOrder {
    usual,  // first on ingress, last on egress: what other programs drop is as the wire saw it
    first,  // in both directions: nobody's verdict keeps frames from them
};

}  // namespace wcs_node_agent
