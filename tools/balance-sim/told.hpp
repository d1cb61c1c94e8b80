// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/agent.hpp"

#include <memory>

namespace wcs_node_agent::balance {

/// The agent's default policy, told the mean utilisation of all nodes at each check: what knowing
/// that is worth, however an agent came by it. settings.fleet: not null; settings.gain: how many
/// times as steeply the weight falls with what the node is above the mean.
std::unique_ptr<Agent> make_told(const AgentSettings& settings);

}  // namespace wcs_node_agent::balance
