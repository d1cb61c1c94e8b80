// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/filter_handle.hpp"
#include "kernel/netlink_socket.hpp"

#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wcs_node_agent {

/// Where a filter stands: on an interface, at a parent (TC_H_CLSACT with TC_H_MIN_INGRESS or
/// _EGRESS), in chain 0.
struct FilterPosition {
    std::uint32_t ifindex = 0;
    std::uint32_t parent = 0;
    std::uint16_t priority = 0;
    std::uint32_t handle = 0;
};

/// A filter as it is listed. Those of a kind and protocol share a priority.
struct ListedFilter {
    std::uint32_t chain = 0;
    std::uint16_t priority = 0;
    std::uint16_t protocol = 0;  // ETH_P_*
    std::uint32_t handle = 0;    // 0: the priority itself, before its filters
    std::string kind;
};

/// The qdisc that an interface has for its ingress.
enum class IngressQdisc {
    none,
    clsact,
    ingress,  // has no egress: its one block of filters answers to both of clsact's parents
};

/// What tells changes of this process's filters that somebody else makes from all others.
struct OwnFilters {
    std::uint32_t handle = 0;
    std::uint32_t port = 0;  // of netlink, through which this process makes its own
};

/// Filters and clsact qdiscs in the network namespace in which it was opened. Errors have the
/// kernel's reason; std::errc::no_such_device: the interface has gone. Source: RTNETLINK, not
/// libbpf, which asks for the program's name by bpf(2): before Linux 5.19 a process that has given
/// up its capabilities may not call that at all.
class TrafficControl {
 public:
    /// handle: of all filters that will be added.
    static Result<std::shared_ptr<TrafficControl>> open(FilterHandle handle);

    std::uint32_t handle() const { return handle_.value(); }
    OwnFilters own_filters() const;

    /// True: added. False: there is one, or one of another kind in its place.
    Result<bool> add_clsact(std::uint32_t ifindex);
    void remove_clsact(std::uint32_t ifindex);

    Result<IngressQdisc> ingress_qdisc(std::uint32_t ifindex);

    Result<std::vector<ListedFilter>> filters(std::uint32_t ifindex, std::uint32_t parent);

    /// Adds a program under a name, before those of the same priority.
    Result<void> add_filter(const FilterPosition& at, int program, const char* name);
    void remove_filter(const FilterPosition& at);

    /// The id of the program that is there.
    std::optional<std::uint32_t> program_id(const FilterPosition& at);

 private:
    TrafficControl(NetlinkSocket socket, FilterHandle handle)
        : socket_(std::move(socket)), handle_(std::move(handle)) {}

    NetlinkSocket socket_;
    FilterHandle handle_;
};

}  // namespace wcs_node_agent
