// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/traffic_control.hpp"

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/result.hpp>

#include <memory>
#include <optional>
#include <vector>

struct nl_sock;

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
    struct FreeSocket {
        void operator()(nl_sock* socket) const;
    };
    using Socket = std::unique_ptr<nl_sock, FreeSocket>;

    LinkMonitor(Socket requests, Socket events);

    Socket requests_;
    Socket events_;
};

}  // namespace wcs_node_agent
