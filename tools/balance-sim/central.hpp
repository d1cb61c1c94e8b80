// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/agent.hpp"

#include <memory>

namespace wcs_node_agent::balance {

/// Agents that know all nodes and what each session will cost, yet may do what an agent may, and no
/// more: say a weight of 1 to 256 % and a maxconn when they are asked. settings.fleet: not null.
std::unique_ptr<Agent> make_central(const AgentSettings& settings);
std::unique_ptr<Agent> make_central_with_maxconn(const AgentSettings& settings);

}  // namespace wcs_node_agent::balance
