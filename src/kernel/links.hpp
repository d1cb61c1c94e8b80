// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/netlink_socket.hpp"
#include "kernel/traffic_control.hpp"

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/result.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace wcs_node_agent {

/// Lists the interfaces of this network namespace and reports when they, routes, rules or nexthop
/// objects change. Needs no privilege. Source: RTNETLINK.
class LinkMonitor {
 public:
    /// filters: those to watch over, on kernels without TCX.
    static Result<LinkMonitor> open(const std::optional<OwnFilters>& filters = {});

    /// All links as they are now, by index, ascending.
    Result<std::vector<Link>> list();

    /// Readable when something has changed.
    int descriptor() const;

    /// Drains what was reported since the last call. True: list again.
    bool changed();

 private:
    LinkMonitor(NetlinkSocket requests, NetlinkSocket events)
        : requests_(std::move(requests)), events_(std::move(events)) {}

    NetlinkSocket requests_;
    NetlinkSocket events_;
};

}  // namespace wcs_node_agent
