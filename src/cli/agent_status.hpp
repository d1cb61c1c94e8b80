// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <string>

#include <boost/asio/awaitable.hpp>

namespace wcs_node_agent {

/// JSON that an agent serves.
struct AgentStatus {
    std::string text;  // as it came
    Json json;
};

/// Asks the agent that serves at the first metrics_listen, over loopback if that is any address,
/// for its /status, which has a state. For at most 5 s; errors are lines for the user, with what to
/// do.
boost::asio::awaitable<Result<AgentStatus>> fetch_agent_status(const Config& config);

/// The same, waiting.
Result<AgentStatus> ask_agent_status(const Config& config);

/// Its /history, likewise. Null if it has none, as an agent of before has.
Json ask_agent_history(const Config& config);

}  // namespace wcs_node_agent
