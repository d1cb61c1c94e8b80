// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/dispatch.hpp"

#include "balance-sim/leastconn.hpp"
#include "balance-sim/random_draws.hpp"
#include "balance-sim/roundrobin.hpp"

#include <array>

namespace wcs_node_agent::balance {

namespace {

constexpr std::array<std::string_view, 3> algorithm_names{"roundrobin", "leastconn", "random"};

}  // namespace

std::string_view to_string(Algorithm algorithm) {
    return algorithm_names[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
    for (std::size_t i = 0; i < algorithm_names.size(); ++i)
        if (algorithm_names[i] == name) return static_cast<Algorithm>(i);
    return std::nullopt;
}

std::unique_ptr<Dispatch> make_dispatch(Algorithm algorithm, const std::vector<Server>& servers,
                                        Random random) {
    switch (algorithm) {
        case Algorithm::roundrobin:
            return std::make_unique<RoundRobin>(servers);
        case Algorithm::leastconn:
            return std::make_unique<LeastConn>(servers);
        case Algorithm::random:
            return std::make_unique<RandomDraws>(servers, random);
    }
    return nullptr;
}

}  // namespace wcs_node_agent::balance
