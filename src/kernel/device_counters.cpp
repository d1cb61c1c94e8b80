// SPDX-License-Identifier: Apache-2.0
#include "kernel/device_counters.hpp"

#include "kernel/netlink_request.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

/// Newer kernels have more of it, older ones less.
template <class T>
T content(const nlattr* attribute) {
    T value{};
    std::memcpy(&value, nla_data(attribute),
                std::min(sizeof(value), static_cast<std::size_t>(nla_len(attribute))));
    return value;
}

/// None: the kernel has refused.
std::optional<Traffic> device_traffic(nlmsghdr* message) {
    if (message->nlmsg_type != RTM_NEWSTATS) return std::nullopt;
    const auto* found = nlmsg_find_attr(message, sizeof(if_stats_msg), IFLA_STATS_LINK_64);
    if (!found) return std::nullopt;
    const auto stats = content<rtnl_link_stats64>(found);
    return Traffic{.receive_bytes = stats.rx_bytes,
                   .receive_packets = stats.rx_packets,
                   .transmit_bytes = stats.tx_bytes,
                   .transmit_packets = stats.tx_packets};
}

}  // namespace

Result<DeviceCounters> DeviceCounters::open() {
    auto socket = open_netlink_socket();
    if (!socket) return socket.error();
    // The kernel answers before the request's system call returns. Of a queueing discipline that is
    // not worth showing it says nothing at all.
    nl_socket_set_nonblocking(socket->get());
    return DeviceCounters(std::move(socket).value());
}

/// Asked for every selected interface four times a second: without libnl's messages, for which it
/// takes memory, and its look at the length of the answer before it reads it.
std::optional<Traffic> DeviceCounters::read(std::uint32_t ifindex) {
    struct {
        nlmsghdr header;
        if_stats_msg wanted;
    } request{};
    request.header = {.nlmsg_len = sizeof(request),
                      .nlmsg_type = RTM_GETSTATS,
                      .nlmsg_flags = NLM_F_REQUEST,
                      .nlmsg_seq = ++stats_sequence_,
                      .nlmsg_pid = 0};
    request.wanted.ifindex = ifindex;
    request.wanted.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    const int descriptor = nl_socket_get_fd(socket_.get());
    if (::send(descriptor, &request, sizeof(request), 0) < 0) return std::nullopt;
    alignas(nlmsghdr) std::array<char, 1024> answer;
    for (;;) {
        const auto length = ::recv(descriptor, answer.data(), answer.size(), 0);
        if (length < 0) return std::nullopt;
        auto* message = reinterpret_cast<nlmsghdr*>(answer.data());
        if (!nlmsg_ok(message, static_cast<int>(length))) return std::nullopt;
        if (message->nlmsg_seq == stats_sequence_) return device_traffic(message);
    }
}

DeviceQueue DeviceCounters::queue(std::uint32_t ifindex) {
    tcmsg wanted{};
    wanted.tcm_family = AF_UNSPEC;
    wanted.tcm_ifindex = static_cast<int>(ifindex);
    wanted.tcm_parent = TC_H_ROOT;
    const auto request = netlink_request(RTM_GETQDISC, wanted);
    DeviceQueue queue;
    ask(socket_.get(), request.get(), [&](nlmsghdr* message) {
        if (message->nlmsg_type != RTM_NEWQDISC) return;
        const auto* stats = nlmsg_find_attr(message, sizeof(tcmsg), TCA_STATS2);
        const auto* found =
            stats ? nla_find(static_cast<nlattr*>(nla_data(stats)), nla_len(stats), TCA_STATS_QUEUE)
                  : nullptr;
        if (!found) return;
        const auto queued = content<gnet_stats_queue>(found);
        queue = {.bytes = queued.backlog, .packets = queued.qlen};
    });
    return queue;
}

}  // namespace wcs_node_agent
