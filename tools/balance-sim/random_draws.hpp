// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/dispatch.hpp"

namespace wcs_node_agent::balance {

/// `balance random(2)`: of two servers drawn by weight the one that serves less by its weight, full
/// or not. HAProxy draws on a ring with 16 points for each unit of weight, so that at weight 100 a
/// server's chance is about 2 % off its weight, the same for good; here it is exact.
class RandomDraws : public Dispatch {
 public:
    RandomDraws(const std::vector<Server>& servers, Random random);

    std::optional<ServerId> pick(std::optional<ServerId> avoid) override;
    void set_weight(ServerId server, unsigned effective_weight) override;
    void load_changed(ServerId) override {}

 private:
    static constexpr int draws = 2;

    std::optional<ServerId> draw(std::optional<ServerId> avoid);
    void add(ServerId server, std::int64_t weight);

    const std::vector<Server>& servers_;
    std::vector<unsigned> weights_;
    std::vector<std::int64_t> sums_;  // a Fenwick tree over the weights
    std::int64_t sum_ = 0;
    Random random_;
};

}  // namespace wcs_node_agent::balance
