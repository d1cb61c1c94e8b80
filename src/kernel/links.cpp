// SPDX-License-Identifier: Apache-2.0
#include "kernel/links.hpp"

#include "kernel/filter_changes.hpp"
#include "kernel/link_message.hpp"
#include "kernel/netlink_error.hpp"
#include "kernel/netlink_request.hpp"
#include "kernel/route_message.hpp"
#include "kernel/routes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

/// The kernel fills what there is room for, up to 32 KiB. Of a list: the fewer parts it comes in,
/// the less a change can cut through it.
constexpr std::size_t largest_part = 32 * 1024;

}  // namespace

Result<LinkMonitor> LinkMonitor::open(const std::optional<OwnFilters>& filters) {
    auto requests = open_netlink_socket();
    if (!requests) return requests.error();
    auto events = open_netlink_socket();
    if (!events) return events.error();
    nl_socket_set_msg_buf_size(requests->get(), largest_part);
    for (const auto group : {RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                             RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP})
        if (const int error = nl_socket_add_membership(events->get(), group); error < 0)
            return failure("netlink: follow changes", netlink_error(error));
    if (filters)
        if (const int error = follow_filters(events->get(), *filters); error < 0)
            return failure("netlink: follow filters", netlink_error(error));
    if (const int error = nl_socket_set_nonblocking(events->get()); error < 0)
        return failure("netlink: non-blocking", netlink_error(error));
    return LinkMonitor(std::move(requests).value(), std::move(events).value());
}

int LinkMonitor::descriptor() const { return nl_socket_get_fd(events_.get()); }

bool LinkMonitor::changed() {
    bool matters = false;
    alignas(nlmsghdr) std::array<char, largest_part> part;  // NOLINT: filled by recv()
    for (;;) {
        const auto length = ::recv(descriptor(), part.data(), part.size(), MSG_TRUNC);
        if (length < 0 && errno != ENOBUFS) break;
        if (length < 0 || length > static_cast<ssize_t>(part.size())) {
            lose();
            matters = true;
            continue;
        }
        int left = static_cast<int>(length);
        for (auto* message = reinterpret_cast<nlmsghdr*>(part.data()); nlmsg_ok(message, left);
             message = nlmsg_next(message, &left))
            matters = take(message) || matters;
    }
    return matters;
}

/// Messages that could not be had are a change of anything.
void LinkMonitor::lose() { is_list_due_ = are_routes_due_ = all_touched_ = true; }

/// True: it matters.
bool LinkMonitor::take(nlmsghdr* message) {
    switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            return take_link(message);
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            if (!can_matter(message)) return false;
            break;
        case RTM_NEWTFILTER:
        case RTM_DELTFILTER:
        case RTM_DELQDISC: {
            const auto index = static_cast<const tcmsg*>(nlmsg_data(message))->tcm_ifindex;
            touched_.insert(static_cast<std::uint32_t>(index));
            return true;
        }
        default:  // rules, nexthop objects
            break;
    }
    are_routes_due_ = true;
    return true;
}

/// Routes that go with a link are not all reported by themselves.
bool LinkMonitor::take_link(nlmsghdr* message) {
    const auto index = index_of_changed_link(message);
    if (!index) return false;
    are_routes_due_ = true;
    touched_.insert(*index);
    const auto at = std::ranges::lower_bound(links_, *index, {}, &Link::index);
    const bool is_there = at != links_.end() && at->index == *index;
    auto link = parse_link(message);
    if (link && is_there)
        *at = *std::move(link);
    else if (link)
        links_.insert(at, *std::move(link));
    else if (is_there)
        links_.erase(at);
    return true;
}

/// A route that none of the addresses asked for matches leads none of their packets.
bool LinkMonitor::can_matter(nlmsghdr* route) const {
    const auto destination = destination_of(route);
    return !destination || asks_for_any_in(*destination, links_);
}

Result<void> LinkMonitor::update() {
    int error = is_list_due_ ? list_links() : 0;
    if (error >= 0) {
        is_list_due_ = false;
        if (are_routes_due_) error = add_routes(requests_.get(), links_);
    }
    if (error < 0) return failure("netlink: list", netlink_error(error));
    are_routes_due_ = false;
    return {};
}

int LinkMonitor::list_links() {
    std::vector<Link> links;
    const int error = until_whole([&] {
        links.clear();
        return dump(requests_.get(), RTM_GETLINK, ifinfomsg{}, [&](nlmsghdr* message) {
            if (auto link = parse_link(message)) links.push_back(*std::move(link));
        });
    });
    if (error < 0) return error;
    std::ranges::sort(links, {}, &Link::index);
    // A list that a change cut through may have one twice.
    const auto repeated = std::ranges::unique(links, {}, &Link::index);
    links.erase(repeated.begin(), repeated.end());
    links_ = std::move(links);
    return 0;
}

std::optional<std::set<std::uint32_t>> LinkMonitor::take_touched() {
    auto touched = std::exchange(touched_, {});
    if (std::exchange(all_touched_, false)) return std::nullopt;
    return touched;
}

Result<std::vector<Link>> LinkMonitor::list() {
    lose();
    if (const auto done = update(); !done) return done.error();
    return links_;
}

}  // namespace wcs_node_agent
