// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/netlink_socket.hpp"

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace wcs_node_agent {

/// What waits in the queueing discipline of an interface.
struct DeviceQueue {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;  // an aggregate is one
};

/// What the driver of an interface itself has counted (IFLA_STATS64): less exact, as it may count
/// an aggregate as one packet and leave out layer 2 headers, but no program and no filter stands in
/// its way. Needs no privilege. Source: RTNETLINK.
class DeviceCounters {
 public:
    static Result<DeviceCounters> open();

    /// None: the interface has gone, or the kernel does not answer.
    std::optional<Traffic> read(std::uint32_t ifindex);

    /// Of the root queueing discipline, all below it included. None: there is none, as of most
    /// software devices.
    DeviceQueue queue(std::uint32_t ifindex);

 private:
    explicit DeviceCounters(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
    std::uint32_t stats_sequence_ = 0;
};

}  // namespace wcs_node_agent
