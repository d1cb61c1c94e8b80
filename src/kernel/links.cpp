// SPDX-License-Identifier: Apache-2.0
#include "kernel/links.hpp"

#include "kernel/filter_changes.hpp"
#include "kernel/link_message.hpp"
#include "kernel/netlink_error.hpp"
#include "kernel/netlink_request.hpp"
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

Result<LinkMonitor> LinkMonitor::open(const std::optional<OwnFilters>& filters) {
    auto requests = open_netlink_socket();
    if (!requests) return requests.error();
    auto events = open_netlink_socket();
    if (!events) return events.error();
    // The kernel fills what there is room for, up to 32 KiB: the fewer parts a list comes in, the
    // less a change can cut through it.
    nl_socket_set_msg_buf_size(requests->get(), 32 * 1024);
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

Result<std::vector<Link>> LinkMonitor::list() {
    std::vector<Link> links;
    int error = until_whole([&] {
        links.clear();
        return dump(requests_.get(), RTM_GETLINK, ifinfomsg{}, [&](nlmsghdr* message) {
            if (auto link = parse_link(message)) links.push_back(*std::move(link));
        });
    });
    std::ranges::sort(links, {}, &Link::index);
    // A list that a change cut through may have one twice.
    const auto repeated = std::ranges::unique(links, {}, &Link::index);
    links.erase(repeated.begin(), repeated.end());
    if (error >= 0) error = add_routes(requests_.get(), links);
    if (error < 0) return failure("netlink: list", netlink_error(error));
    return links;
}

int LinkMonitor::descriptor() const { return nl_socket_get_fd(events_.get()); }

bool LinkMonitor::changed() {
    std::array<char, 16> beginning{};  // what has changed is asked for anew anyway
    bool any = false;
    for (;;) {
        const auto length = ::recv(descriptor(), beginning.data(), beginning.size(), 0);
        // ENOBUFS: messages were lost, which is a change like any other.
        if (length < 0 && errno != ENOBUFS) return any;
        any = true;
    }
}

}  // namespace wcs_node_agent
