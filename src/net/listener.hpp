// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/connection.hpp"
#include "net/open_connections.hpp"
#include "net/refusal_log.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Accepts connections on a set of endpoints and hands on those whose source is allowed, within the
/// limits; the others are closed without a byte, counted and logged. Must outlive the running of
/// its executor, and the connections that it hands on.
class Listener {
 public:
    /// Gets each allowed connection.
    using OnConnection = std::function<void(Connection)>;

    /// An endpoint with who gets its connections. Empty: as the constructor has it.
    struct ListenAt {
        tcp::endpoint endpoint;
        OnConnection on_connection = {};
        std::string setting = {};  // begins errors
    };

    /// `setting` is the configuration's name of the endpoints; it begins errors and log lines.
    /// `allowed_by` is that of the allow-list.
    Listener(asio::any_io_executor executor, std::string setting, std::string allowed_by,
             OpenConnections::Limits limits, AgentCounters& counters, OnConnection on_connection);

    /// Listens on exactly these endpoints from now on, or changes nothing. Those already open stay
    /// open, with the connections in their accept queue; who is connecting to one that is closed is
    /// served. `[::]` means every IPv6 address of this host: where the kernel has no IPv6 it is
    /// left out, as long as another endpoint of its setting is there. An address that no interface
    /// has yet is waited for (ip(7), IP_FREEBIND).
    Result<void> listen(std::span<const ListenAt> endpoints);
    Result<void> listen(std::span<const tcp::endpoint> endpoints);

    /// Takes over a socket that listens already: listen() goes on with it where it is asked for,
    /// and else closes it as one that is not any more. Before listen(); one that is open is left
    /// alone.
    void adopt(Descriptor socket, const tcp::endpoint& at);

    struct OpenPort {
        tcp::endpoint at;
        int socket;  // the listener's
    };

    /// What listens on, also where it is not asked for any more. Not those for which the kernel
    /// chose the port.
    std::vector<OpenPort> open_ports() const;

    /// Ports may move from one to the other by a reload. Both must live as long as one listens.
    void exchange_ports_with(const Listener& other) { other_ = &other; }

    /// Closes the connections of sources that are not allowed any more. Until the first call nobody
    /// is allowed.
    void allow(AllowList allowed);

    /// From the next connection on.
    void limit(OpenConnections::Limits limits) { connections_.limit(limits); }

    /// The user as whom this process will go on. The kernel lets sockets of one user alone share a
    /// port, as they do for a moment when an address changes.
    void give_to(uid_t user, gid_t group);

    /// Hands on a connection, or closes it, by where it comes from.
    void take(Connection connection);

    /// What is bound, with the port that the kernel chose for port 0.
    std::vector<tcp::endpoint> endpoints() const;

    /// Closes every endpoint.
    void stop();

 private:
    struct Port {
        tcp::endpoint asked;
        std::shared_ptr<tcp::acceptor> acceptor;  // shared with its accept_from()
        std::shared_ptr<OnConnection> receiver;   // alike; a reload may give it to another one
        Clock::time_point retired = {};           // when it was last
    };

    static std::optional<Port> take_out(std::vector<Port>& ports, const tcp::endpoint& asked);
    bool is_covered(const tcp::endpoint& endpoint) const;
    void close_retired_soon();
    asio::awaitable<void> close_retired(std::shared_ptr<tcp::acceptor> acceptor);
    Port open(const ListenAt& wanted) const;  // throws system_error
    asio::awaitable<void> accept_from(Port port);
    boost::system::error_code accept_waiting(const Port& port, int most);
    void hand_on(Connection connection, const OnConnection& receiver);
    const std::string& setting_of(const ListenAt& asked) const;

    asio::any_io_executor executor_;
    std::string setting_;
    RefusalLog refusals_;
    AgentCounters& counters_;
    OnConnection on_connection_;
    AllowList allowed_;
    OpenConnections connections_;
    std::vector<Port> ports_;
    std::vector<Port> retired_;  // not asked for, and closed when nobody needs them
    const Listener* other_ = nullptr;
};

}  // namespace wcs_node_agent
