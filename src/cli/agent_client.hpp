// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/agent_access.hpp"
#include "config/settings.hpp"

#include <wcs_node_agent/result.hpp>

#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

namespace wcs_node_agent {

/// An object that an agent serves, /status or /history.
struct ServedJson {
    std::string text;  // as it came
    Json json;
};

/// Asks one agent over HTTP, on a connection for each question: for at most 5 s, or 15 where it has
/// to compute a password first. Errors are lines for the user, with what to do.
class AgentClient {
 public:
    explicit AgentClient(AgentAccess access) : access_(std::move(access)) {}

    /// /status, which has a state. The client must outlive the coroutine.
    boost::asio::awaitable<Result<ServedJson>> fetch_status() const;

    /// The same, waiting.
    Result<ServedJson> status() const;

    /// /history, waiting. Null if it has none, as an agent of before has.
    Json history() const;

    /// Who is asked, for people: ADDR:PORT, or the URL that was given.
    std::string address() const;

 private:
    boost::asio::awaitable<Result<ServedJson>> fetch(std::string path) const;

    AgentAccess access_;
};

}  // namespace wcs_node_agent
