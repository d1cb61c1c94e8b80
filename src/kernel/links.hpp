// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/netlink_socket.hpp"
#include "kernel/traffic_control.hpp"

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

struct nlmsghdr;

namespace wcs_node_agent {

/// Knows the interfaces of this network namespace and where packets for the internet leave: listed
/// once, and from then on kept by what RTNETLINK reports of links, routes, rules and nexthop
/// objects. Needs no privilege.
class LinkMonitor {
 public:
    /// filters: those to watch over, on kernels without TCX.
    static Result<LinkMonitor> open(const std::optional<OwnFilters>& filters = {});

    /// Readable when something has changed.
    int descriptor() const;

    /// Drains what was reported since the last call. True: something of it matters, and update() is
    /// due.
    bool changed();

    /// Brings links() up to date. What could not be done is due again. Without a change it asks the
    /// kernel nothing.
    Result<void> update();

    /// By index, ascending, as update() found them.
    const std::vector<Link>& links() const { return links_; }

    /// Indexes of the links that a message has been about since the last call, those that have gone
    /// and those that lost a filter included; none: messages were lost, so it may be all.
    std::optional<std::set<std::uint32_t>> take_touched();

    /// All links as they are now, listed anew.
    Result<std::vector<Link>> list();

 private:
    LinkMonitor(NetlinkSocket requests, NetlinkSocket events)
        : requests_(std::move(requests)), events_(std::move(events)) {}

    bool take(nlmsghdr* message);
    bool take_link(nlmsghdr* message);
    bool can_matter(nlmsghdr* route) const;
    void lose();
    int list_links();

    NetlinkSocket requests_;
    NetlinkSocket events_;
    std::vector<Link> links_;
    std::set<std::uint32_t> touched_;
    bool all_touched_ = true;
    bool is_list_due_ = true;
    bool are_routes_due_ = true;
};

}  // namespace wcs_node_agent
