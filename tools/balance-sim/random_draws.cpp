// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/random_draws.hpp"

#include <bit>

namespace wcs_node_agent::balance {

RandomDraws::RandomDraws(const std::vector<Server>& servers, Random random)
    : servers_(servers),
      weights_(servers.size()),
      sums_(std::bit_ceil(servers.size() + 1)),
      random_(random) {}

std::optional<ServerId> RandomDraws::pick(std::optional<ServerId> avoid) {
    std::optional<ServerId> chosen;
    for (int i = 0; i < draws; ++i) {
        const auto drawn = draw(avoid);
        if (!drawn) break;
        if (chosen && *drawn != *chosen) {
            const auto load = [&](ServerId one, ServerId other) {
                return std::uint64_t{servers_[one].served} * weights_[other];
            };
            if (load(*drawn, *chosen) > load(*chosen, *drawn)) continue;
        }
        chosen = drawn;
    }
    if (chosen && servers_[*chosen].is_full()) return std::nullopt;
    return chosen;
}

void RandomDraws::set_weight(ServerId server, unsigned effective_weight) {
    add(server, static_cast<std::int64_t>(effective_weight) - weights_[server]);
    weights_[server] = effective_weight;
}

std::optional<ServerId> RandomDraws::draw(std::optional<ServerId> avoid) {
    const bool avoids = avoid && sum_ > weights_[*avoid];
    const auto avoided = avoids ? weights_[*avoid] : 0;
    if (avoids) add(*avoid, -std::int64_t{avoided});
    std::optional<ServerId> found;
    if (sum_ > 0) {
        auto left = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(sum_)));
        std::size_t at = 0;
        for (auto step = sums_.size() / 2; step > 0; step /= 2) {
            if (sums_[at + step] > left) continue;
            at += step;
            left -= sums_[at];
        }
        found = static_cast<ServerId>(at);
    }
    if (avoids) add(*avoid, avoided);
    return found;
}

void RandomDraws::add(ServerId server, std::int64_t weight) {
    sum_ += weight;
    for (auto at = std::size_t{server} + 1; at < sums_.size(); at += at & (~at + 1))
        sums_[at] += weight;
}

}  // namespace wcs_node_agent::balance
