// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/dispatch.hpp"

namespace wcs_node_agent::balance {

/// `balance leastconn`, as src/lb_fwlc.c of HAProxy 2.6 has it: the least of
/// (served + 1) x 4096 / weight, which is 0 for a server without connections.
class LeastConn : public Dispatch {
 public:
    explicit LeastConn(const std::vector<Server>& servers)
        : servers_(servers), places_(servers.size()) {}

    std::optional<ServerId> pick(std::optional<ServerId> avoid) override;
    void set_weight(ServerId server, unsigned effective_weight) override;
    void load_changed(ServerId server) override;

 private:
    struct Place {
        unsigned weight = 0;
        std::uint64_t key = 0;
        Tree::iterator at{};
    };

    std::uint64_t key_of(ServerId server) const;
    void insert(ServerId server);

    const std::vector<Server>& servers_;
    std::vector<Place> places_;
    Tree tree_;
    std::uint64_t inserted_ = 0;
};

}  // namespace wcs_node_agent::balance
