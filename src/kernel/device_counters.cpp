// SPDX-License-Identifier: Apache-2.0
#include "kernel/device_counters.hpp"

#include "kernel/netlink_error.hpp"

#include <algorithm>
#include <cstring>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

/// What the message says of one interface.
struct Answer {
    std::uint32_t ifindex;
    std::optional<Traffic> traffic;
};

int read_message(nl_msg* message, void* into) {
    auto& answer = *static_cast<Answer*>(into);
    auto* header = nlmsg_hdr(message);
    if (header->nlmsg_type != RTM_NEWSTATS) return NL_SKIP;
    const auto* about = static_cast<const if_stats_msg*>(nlmsg_data(header));
    auto* found = nlmsg_find_attr(header, sizeof(if_stats_msg), IFLA_STATS_LINK_64);
    if (about->ifindex != answer.ifindex || !found) return NL_SKIP;
    rtnl_link_stats64 stats{};  // newer kernels have more of it, older ones less
    std::memcpy(&stats, nla_data(found),
                std::min(sizeof(stats), static_cast<std::size_t>(nla_len(found))));
    answer.traffic = Traffic{.receive_bytes = stats.rx_bytes,
                             .receive_packets = stats.rx_packets,
                             .transmit_bytes = stats.tx_bytes,
                             .transmit_packets = stats.tx_packets};
    return NL_OK;
}

}  // namespace

void DeviceCounters::FreeSocket::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<DeviceCounters> DeviceCounters::open() {
    Socket socket(nl_socket_alloc());
    if (!socket) return failure("netlink: open", netlink_error(-NLE_NOMEM));
    nl_socket_disable_auto_ack(socket.get());  // the answer, or an error, is all that comes
    if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0)
        return failure("netlink: connect", netlink_error(error));
    return DeviceCounters(std::move(socket));
}

std::optional<Traffic> DeviceCounters::read(std::uint32_t ifindex) {
    Answer answer{.ifindex = ifindex, .traffic = {}};
    const std::unique_ptr<nl_cb, decltype(&nl_cb_put)> callbacks(nl_cb_alloc(NL_CB_DEFAULT),
                                                                 nl_cb_put);
    if (!callbacks) return std::nullopt;
    nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, read_message, &answer);
    if_stats_msg wanted{};
    wanted.ifindex = ifindex;
    wanted.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    if (nl_send_simple(socket_.get(), RTM_GETSTATS, 0, &wanted, sizeof(wanted)) < 0)
        return std::nullopt;
    if (nl_recvmsgs(socket_.get(), callbacks.get()) < 0) return std::nullopt;
    return answer.traffic;
}

}  // namespace wcs_node_agent
