// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

namespace wcs_node_agent {

/// Asks the kernel for everything of a kind (RTM_GET...) and hands each message to
/// receive(nlmsghdr*). Returns 0 or a negative NLE_*; -NLE_DUMP_INTR: something changed meanwhile,
/// ask again.
template <class Header, class Receive>
int dump(nl_sock* socket, int type, Header header, Receive receive) {
    const std::unique_ptr<nl_cb, decltype(&nl_cb_put)> callbacks(nl_cb_alloc(NL_CB_DEFAULT),
                                                                 nl_cb_put);
    if (!callbacks) return -NLE_NOMEM;
    nl_cb_set(
        callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM,
        [](nl_msg* message, void* receiver) -> int {
            (*static_cast<Receive*>(receiver))(nlmsg_hdr(message));
            return NL_OK;
        },
        &receive);
    if (const int error = nl_send_simple(socket, type, NLM_F_DUMP, &header, sizeof(header));
        error < 0)
        return error;
    return nl_recvmsgs(socket, callbacks.get());
}

}  // namespace wcs_node_agent
