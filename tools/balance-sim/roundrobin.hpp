// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/dispatch.hpp"

#include <array>

namespace wcs_node_agent::balance {

/// `balance roundrobin`, as src/lb_fwrr.c of HAProxy 2.6 has it. Positions run through a round as
/// long as the sum of the weights; a server has a place every sum/weight positions. What has no
/// place left in this round waits in a tree for the next, and that of the round before fills holes.
class RoundRobin : public Dispatch {
 public:
    explicit RoundRobin(const std::vector<Server>& servers)
        : servers_(servers), places_(servers.size()) {}

    std::optional<ServerId> pick(std::optional<ServerId> avoid) override;
    void set_weight(ServerId server, unsigned effective_weight) override;
    void load_changed(ServerId) override {}
    bool respects_queue() const override { return true; }

 private:
    enum class In { none, current, first, second };  // first and second take turns as init and next
    struct Place {
        std::int64_t next = 0;        // the position at which it is due
        std::int64_t last = 0;        // and was last
        std::uint64_t remainder = 0;  // of sum/weight, carried on
        unsigned weight = 0;
        In in = In::none;
        Tree::iterator at{};
    };

    Tree& tree(In in) { return trees_[static_cast<std::size_t>(in) - 1]; }
    void insert(ServerId server, In in, std::uint64_t key);
    void remove(ServerId server);
    void queue_by_weight(ServerId server, In in);
    void queue(ServerId server);
    void prepare(Place& place) const;
    std::optional<ServerId> first_due();
    void advance(Place& place) const;
    void switch_trees();

    const std::vector<Server>& servers_;
    std::vector<Place> places_;
    std::array<Tree, 3> trees_;  // by In, none left out
    In init_ = In::first, next_ = In::second;
    std::uint64_t inserted_ = 0;
    std::int64_t sum_ = 0;    // of all weights now
    std::int64_t round_ = 0;  // of all weights when the round began
    std::int64_t position_ = 0;
    bool used_ = false;
};

}  // namespace wcs_node_agent::balance
