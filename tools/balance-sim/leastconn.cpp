// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/leastconn.hpp"

namespace wcs_node_agent::balance {

std::optional<ServerId> LeastConn::pick(std::optional<ServerId> avoid) {
    std::optional<ServerId> avoided;
    for (const auto& [key, order, server] : tree_) {
        if (servers_[server].is_full()) continue;
        if (server != avoid) return server;
        avoided = server;
    }
    return avoided;
}

void LeastConn::set_weight(ServerId server, unsigned effective_weight) {
    auto& place = places_[server];
    if (place.weight == effective_weight) return;
    if (place.weight > 0) tree_.erase(place.at);
    place.weight = effective_weight;
    if (effective_weight > 0) insert(server);
}

void LeastConn::load_changed(ServerId server) {
    auto& place = places_[server];
    if (place.weight == 0 || place.key == key_of(server)) return;
    tree_.erase(place.at);
    insert(server);
}

std::uint64_t LeastConn::key_of(ServerId server) const {
    const std::uint64_t served = servers_[server].served;
    return served > 0 ? (served + 1) * most_effective_weight / places_[server].weight : 0;
}

void LeastConn::insert(ServerId server) {
    auto& place = places_[server];
    place.key = key_of(server);
    place.at = tree_.emplace(place.key, inserted_++, server).first;
}

}  // namespace wcs_node_agent::balance
