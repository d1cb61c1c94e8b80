// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <wcs_node_agent/config.hpp>

#include <iosfwd>
#include <string>

namespace wcs_node_agent {

/// Asks the agent that serves at the first metrics_listen (over loopback, if that is any address)
/// and prints what it sees, as a table or as the JSON it gave. Returns the exit status.
int show_status(const Config& config, bool as_json, std::ostream& out, std::ostream& err);

/// The table, from the JSON that the agent serves at /status. What is not there shows as `-`.
std::string status_table(const Json& status);

}  // namespace wcs_node_agent
