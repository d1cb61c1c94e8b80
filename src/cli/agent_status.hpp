// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <string>

#include <boost/asio/awaitable.hpp>

namespace wcs_node_agent {

/// What an agent serves at /status.
struct AgentStatus {
    std::string text;  // as it came
    Json json;         // has a state
};

/// Asks the agent that serves at the first metrics_listen, over loopback if that is any address,
/// for at most 5 s. Errors are lines for the user, with what to do.
boost::asio::awaitable<Result<AgentStatus>> fetch_agent_status(const Config& config);

}  // namespace wcs_node_agent
