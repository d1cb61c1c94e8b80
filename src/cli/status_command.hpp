// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/agent_client.hpp"
#include "config/json.hpp"

#include <iosfwd>
#include <string>

namespace wcs_node_agent {

/// Prints what the agent sees, as a table or as the JSON it gave. Returns the exit status.
int show_status(const AgentClient& agent, bool as_json, std::ostream& out, std::ostream& err);

/// The table, from the JSON that the agent serves at /status. What is not there shows as `-`.
std::string status_table(const Json& status);

}  // namespace wcs_node_agent
