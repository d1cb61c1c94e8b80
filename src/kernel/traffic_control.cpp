// SPDX-License-Identifier: Apache-2.0
#include "kernel/traffic_control.hpp"

#include "kernel/netlink_error.hpp"
#include "kernel/netlink_request.hpp"

#include <array>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <utility>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

tcmsg clsact_header(std::uint32_t ifindex) {
    tcmsg header{};
    header.tcm_ifindex = static_cast<int>(ifindex);
    header.tcm_parent = TC_H_CLSACT;
    return header;
}

tcmsg filter_header(const FilterPosition& at) {
    tcmsg header{};
    header.tcm_ifindex = static_cast<int>(at.ifindex);
    header.tcm_parent = at.parent;
    header.tcm_handle = at.handle;
    header.tcm_info = TC_H_MAKE(static_cast<std::uint32_t>(at.priority) << 16U, htons(ETH_P_ALL));
    return header;
}

/// Sends a change and waits for its outcome: 0 or a negative NLE_*.
int change(nl_sock* socket, NetlinkMessage request, int flags) {
    if (!request) return -NLE_NOMEM;
    nlmsg_hdr(request.get())->nlmsg_flags |= static_cast<std::uint16_t>(flags | NLM_F_ACK);
    if (const int error = nl_send_auto(socket, request.get()); error < 0) return error;
    return nl_wait_for_ack(socket);
}

using Attributes = std::array<nlattr*, TCA_MAX + 1>;

std::optional<Attributes> parse(nlmsghdr* message, int type) {
    Attributes attributes{};
    if (message->nlmsg_type != type ||
        nlmsg_parse(message, sizeof(tcmsg), attributes.data(), TCA_MAX, nullptr) < 0)
        return std::nullopt;
    return attributes;
}

std::string kind_of(const Attributes& attributes) {
    return attributes[TCA_KIND] ? nla_get_string(attributes[TCA_KIND]) : "";
}

}  // namespace

Result<std::shared_ptr<TrafficControl>> TrafficControl::open(FilterHandle handle) {
    auto socket = open_netlink_socket();
    if (!socket) return socket.error();
    return std::shared_ptr<TrafficControl>(
        new TrafficControl(std::move(socket).value(), std::move(handle)));
}

OwnFilters TrafficControl::own_filters() const {
    return {.handle = handle(), .port = nl_socket_get_local_port(socket_.get())};
}

Result<bool> TrafficControl::add_clsact(std::uint32_t ifindex) {
    auto header = clsact_header(ifindex);
    header.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    auto request = netlink_request(RTM_NEWQDISC, header);
    if (request) nla_put_string(request.get(), TCA_KIND, "clsact");
    const int error = change(socket_.get(), std::move(request), NLM_F_CREATE | NLM_F_EXCL);
    if (error == -NLE_EXIST) return false;
    if (error < 0) return failure("clsact qdisc", netlink_error(error));
    return true;
}

void TrafficControl::remove_clsact(std::uint32_t ifindex) {
    change(socket_.get(), netlink_request(RTM_DELQDISC, clsact_header(ifindex)), 0);
}

Result<IngressQdisc> TrafficControl::ingress_qdisc(std::uint32_t ifindex) {
    auto found = IngressQdisc::none;
    // Listed and not asked for by itself: where one has been and is gone there is no answer at all.
    const auto look = [&](nlmsghdr* message) {
        const auto attributes = parse(message, RTM_NEWQDISC);
        if (!attributes) return;
        const auto& header = *static_cast<const tcmsg*>(nlmsg_data(message));
        if (header.tcm_ifindex != static_cast<int>(ifindex) || header.tcm_parent != TC_H_CLSACT)
            return;
        found = kind_of(*attributes) == "clsact" ? IngressQdisc::clsact : IngressQdisc::ingress;
    };
    const int error = until_whole([&] {
        found = IngressQdisc::none;
        return dump(socket_.get(), RTM_GETQDISC, tcmsg{}, look);
    });
    if (error < 0) return failure("clsact qdisc: look", netlink_error(error));
    return found;
}

Result<std::vector<ListedFilter>> TrafficControl::filters(std::uint32_t ifindex,
                                                          std::uint32_t parent) {
    tcmsg wanted{};
    wanted.tcm_ifindex = static_cast<int>(ifindex);
    wanted.tcm_parent = parent;
    std::vector<ListedFilter> filters;
    const auto add = [&](nlmsghdr* message) {
        const auto attributes = parse(message, RTM_NEWTFILTER);
        if (!attributes) return;
        const auto& header = *static_cast<const tcmsg*>(nlmsg_data(message));
        const auto* chain = (*attributes)[TCA_CHAIN];
        filters.push_back({.chain = chain ? nla_get_u32(chain) : 0,
                           .priority = static_cast<std::uint16_t>(header.tcm_info >> 16U),
                           .protocol = ntohs(static_cast<std::uint16_t>(header.tcm_info)),
                           .handle = header.tcm_handle,
                           .kind = kind_of(*attributes)});
    };
    const int error = until_whole([&] {
        filters.clear();
        return dump(socket_.get(), RTM_GETTFILTER, wanted, add);
    });
    if (error < 0) return failure("filters: list", netlink_error(error));
    return filters;
}

Result<void> TrafficControl::add_filter(const FilterPosition& at, int program, const char* name) {
    auto request = netlink_request(RTM_NEWTFILTER, filter_header(at));
    if (request) {
        nla_put_string(request.get(), TCA_KIND, "bpf");
        nlattr* options = nla_nest_start(request.get(), TCA_OPTIONS);
        nla_put_u32(request.get(), TCA_BPF_FD, static_cast<std::uint32_t>(program));
        nla_put_string(request.get(), TCA_BPF_NAME, name);
        nla_put_u32(request.get(), TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
        nla_nest_end(request.get(), options);
    }
    const int error = change(socket_.get(), std::move(request), NLM_F_CREATE | NLM_F_EXCL);
    if (error < 0) return failure("filter: add", netlink_error(error));
    return {};
}

void TrafficControl::remove_filter(const FilterPosition& at) {
    auto request = netlink_request(RTM_DELTFILTER, filter_header(at));
    if (request) nla_put_string(request.get(), TCA_KIND, "bpf");
    change(socket_.get(), std::move(request), 0);
}

std::optional<std::uint32_t> TrafficControl::program_id(const FilterPosition& at) {
    auto request = netlink_request(RTM_GETTFILTER, filter_header(at));
    if (request) nla_put_string(request.get(), TCA_KIND, "bpf");
    std::optional<std::uint32_t> id;
    ask(socket_.get(), request.get(), [&](nlmsghdr* message) {
        const auto attributes = parse(message, RTM_NEWTFILTER);
        if (!attributes || !(*attributes)[TCA_OPTIONS]) return;
        std::array<nlattr*, TCA_BPF_MAX + 1> options{};
        if (nla_parse_nested(options.data(), TCA_BPF_MAX, (*attributes)[TCA_OPTIONS], nullptr) >=
                0 &&
            options[TCA_BPF_ID])
            id = nla_get_u32(options[TCA_BPF_ID]);
    });
    return id;
}

}  // namespace wcs_node_agent
