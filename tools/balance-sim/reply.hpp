// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace wcs_node_agent::balance {

/// What an agent answers to a check: `up 37% maxconn:80`.
struct Reply {
    bool up = true;
    unsigned weight = 100;  // percent of the configured weight; 0 drains
    std::optional<unsigned> maxconn = {};

    bool operator==(const Reply&) const = default;
};

}  // namespace wcs_node_agent::balance
