// SPDX-License-Identifier: Apache-2.0
#include "kernel/netlink_socket.hpp"

#include "kernel/netlink_error.hpp"

#include <linux/netlink.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

void FreeNetlinkSocket::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<NetlinkSocket> open_netlink_socket() {
    NetlinkSocket socket(nl_socket_alloc());
    if (!socket) return failure("netlink: open", netlink_error(-NLE_NOMEM));
    nl_socket_disable_auto_ack(socket.get());
    if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0)
        return failure("netlink: connect", netlink_error(error));
    return socket;
}

}  // namespace wcs_node_agent
