// SPDX-License-Identifier: Apache-2.0
#include "cli/running_agent.hpp"

#include "haproxy/local_server.hpp"

#include <wcs_node_agent/clock.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace wcs_node_agent {

std::optional<RunningAgent> RunningAgent::find() {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return std::nullopt;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(local_socket_name, std::begin(address.sun_path));
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + local_socket_name.size());
    const int error =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0
                                                                                          : errno;
    if (error == ECONNREFUSED) return std::nullopt;  // nobody has the name
    return RunningAgent(std::move(socket), error == 0);
}

std::optional<ucred> RunningAgent::peer() const {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (!connected_ || ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return std::nullopt;
    return peer;
}

std::optional<uid_t> RunningAgent::user() const {
    const auto other = peer();
    return other ? std::optional(other->uid) : std::nullopt;
}

std::optional<pid_t> RunningAgent::pid() const {
    const auto other = peer();
    return other ? std::optional(other->pid) : std::nullopt;
}

std::optional<std::string> RunningAgent::reply(std::chrono::milliseconds timeout) const {
    const auto deadline = Clock::now() + timeout;
    std::string line;
    std::array<char, 256> part;  // longer than any reply
    while (connected_ && line.size() < part.size()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) break;
        pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0) continue;
        const auto size = ::recv(socket_.get(), part.data(), part.size(), 0);
        if (size <= 0) break;
        line.append(part.data(), static_cast<std::size_t>(size));
        if (line.find('\n') == line.size() - 1) return line;
    }
    return std::nullopt;
}

}  // namespace wcs_node_agent
