// SPDX-License-Identifier: Apache-2.0
#include "daemon/connection_budget.hpp"

#include "haproxy/agent_server.hpp"
#include "http/http_server.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

/// For what is opened while it runs: a fetch from WCS, the configuration, its ports after a reload,
/// and interfaces that appear, two each.
constexpr std::size_t reserve = 128;

OpenConnections::Limits shrunk(OpenConnections::Limits full, double share) {
    const auto part = [share](std::size_t number) {
        return std::max<std::size_t>(1,
                                     static_cast<std::size_t>(static_cast<double>(number) * share));
    };
    return {.in_all = part(full.in_all), .per_source = part(full.per_source)};
}

}  // namespace

ConnectionBudget connection_budget(std::size_t descriptors, std::size_t used) {
    constexpr auto agent = AgentServer::most_open;
    constexpr auto metrics = HttpServer::most_open;
    constexpr std::size_t wanted = agent.in_all + metrics.in_all;
    const std::size_t own = used + reserve;
    const std::size_t left = descriptors > own ? descriptors - own : 0;
    if (left >= wanted) return {agent, metrics};
    const double share = static_cast<double>(left) / static_cast<double>(wanted);
    return {shrunk(agent, share), shrunk(metrics, share)};
}

}  // namespace wcs_node_agent
