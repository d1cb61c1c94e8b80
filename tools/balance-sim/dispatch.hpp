// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/random.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

namespace wcs_node_agent::balance {

using ServerId = std::uint32_t;

inline constexpr unsigned weight_scale = 16;  // effective weights are finer by this
inline constexpr unsigned most_weight = 256;  // of a server
inline constexpr unsigned most_effective_weight = most_weight * weight_scale;

enum class Algorithm { roundrobin, leastconn, random };

std::string_view to_string(Algorithm algorithm);
std::optional<Algorithm> algorithm_named(std::string_view name);

/// What the choice of a server depends on.
struct Server {
    unsigned effective_weight = 0;  // 0..4096; 0: takes nothing, down or not
    unsigned served = 0;            // connections of this balancer alone
    unsigned maxconn = 0;           // as it is now, slowstart included; 0: none

    bool is_full() const { return maxconn > 0 && served >= maxconn; }
};

/// One of HAProxy's algorithms over the servers of one balancer, which it does not own.
class Dispatch {
 public:
    Dispatch() = default;
    Dispatch(const Dispatch&) = delete;
    Dispatch& operator=(const Dispatch&) = delete;
    virtual ~Dispatch() = default;

    /// The next server, or none where all that it looks at are full. avoid: only if no other.
    virtual std::optional<ServerId> pick(std::optional<ServerId> avoid) = 0;

    /// The effective weight of the server has become this, 0 where it is down.
    virtual void set_weight(ServerId server, unsigned effective_weight) = 0;

    /// The number of connections that it serves has changed.
    virtual void load_changed(ServerId server) = 0;

    /// True if a queue is taken for a sign that all are full, so that nobody is chosen past it.
    virtual bool respects_queue() const { return false; }
};

/// servers: must outlive it, in number and place; all of weight 0 at first.
std::unique_ptr<Dispatch> make_dispatch(Algorithm algorithm, const std::vector<Server>& servers,
                                        Random random);

/// Servers by a key, equal ones in the order in which they came: HAProxy's ebtree.
using Tree = std::set<std::tuple<std::uint64_t, std::uint64_t, ServerId>>;

}  // namespace wcs_node_agent::balance
