// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <memory>

struct nl_sock;

namespace wcs_node_agent {

struct FreeNetlinkSocket {
    void operator()(nl_sock* socket) const;
};
using NetlinkSocket = std::unique_ptr<nl_sock, FreeNetlinkSocket>;

/// A socket of RTNETLINK, in the network namespace of the calling thread for good. A request is
/// acknowledged only if it asks for that (NLM_F_ACK).
Result<NetlinkSocket> open_netlink_socket();

}  // namespace wcs_node_agent
