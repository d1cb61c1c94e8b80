// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>

namespace wcs_node_agent {

/// Who holds the agent's socket in this network namespace: an agent, or anybody else.
class RunningAgent {
 public:
    /// None: nobody does.
    static std::optional<RunningAgent> find();

    /// The user that it was when it began to listen (SO_PEERCRED). None: it takes no connection.
    std::optional<uid_t> user() const;

    /// The process that it was then, alike.
    std::optional<pid_t> pid() const;

    /// Its line, with the newline. None: no whole line came in time.
    std::optional<std::string> reply(std::chrono::milliseconds timeout) const;

 private:
    RunningAgent(Descriptor socket, bool connected)
        : socket_(std::move(socket)), connected_(connected) {}

    std::optional<ucred> peer() const;

    Descriptor socket_;
    bool connected_;
};

}  // namespace wcs_node_agent
