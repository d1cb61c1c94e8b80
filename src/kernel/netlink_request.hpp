// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <sys/socket.h>
#include <thread>

#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

using NetlinkMessage = std::unique_ptr<nl_msg, decltype(&nlmsg_free)>;

/// A request (RTM_...) with its header, to which attributes may be added; null: no memory.
template <class Header>
NetlinkMessage netlink_request(int type, Header header) {
    NetlinkMessage message(nlmsg_alloc_simple(type, 0), nlmsg_free);
    if (message && nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0)
        message.reset();
    return message;
}

/// Hands each message of the answer to receive(nlmsghdr*). Returns 0 or a negative NLE_*. What the
/// kernel refuses is that error, or 0 where a refusal is an answer.
template <class Receive>
int receive_answer(nl_sock* socket, Receive& receive, bool refusal_is_answer) {
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
    if (refusal_is_answer)
        nl_cb_err(
            callbacks.get(), NL_CB_CUSTOM,
            [](sockaddr_nl*, nlmsgerr*, void*) -> int { return NL_SKIP; }, nullptr);
    return nl_recvmsgs(socket, callbacks.get());
}

/// Asks the kernel for everything of a kind (RTM_GET...) and hands each message to
/// receive(nlmsghdr*). Returns 0 or a negative NLE_*; -NLE_DUMP_INTR: something changed meanwhile,
/// ask again.
template <class Header, class Receive>
int dump(nl_sock* socket, int type, Header header, Receive receive) {
    if (const int error = nl_send_simple(socket, type, NLM_F_DUMP, &header, sizeof(header));
        error < 0)
        return error;
    return receive_answer(socket, receive, false);
}

/// Asks for one thing; where the kernel refuses, as there is none, nothing is received. The socket
/// must not ask for acknowledgements, which would be read as the next answer.
template <class Receive>
int ask(nl_sock* socket, nl_msg* request, Receive receive) {
    if (!request) return -NLE_NOMEM;
    if (const int error = nl_send_auto(socket, request); error < 0) return error;
    return receive_answer(socket, receive, true);
}

/// Calls make_dump() until no change cuts through what it lists. Where changes never end, what it
/// listed last has to do: each of them is reported, and makes the caller list again.
template <class MakeDump>
int until_whole(MakeDump make_dump) {
    constexpr int most_attempts = 10;
    constexpr auto pause = std::chrono::milliseconds(1);
    for (int attempt = 1;; ++attempt) {
        const int error = make_dump();
        if (error != -NLE_DUMP_INTR) return error;
        if (attempt == most_attempts) return 0;
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace wcs_node_agent
