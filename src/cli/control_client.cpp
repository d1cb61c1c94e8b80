// SPDX-License-Identifier: Apache-2.0
#include "cli/control_client.hpp"

#include "process/accounts.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/descriptor.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr std::size_t longest_reply = 64 << 10;

/// Who may use the socket; its folder may keep even that to itself.
std::string who_may(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return "root may";
    if (found.st_gid == 0) return "root may (the setting control.group lets a group in)";
    return fmt::format("root and members of the group {} may", group_name(found.st_gid));
}

Error cannot_connect(const std::string& path, int error) {
    switch (error) {
        case EACCES:
        case EPERM:
            return {fmt::format("{}: permission denied to {}: {}", path, user_name(::geteuid()),
                                who_may(path))};
        case ENOENT:
        case ECONNREFUSED:
        case ENOTDIR:
            return {fmt::format(
                "{}: no agent listens there. Is it running (systemctl start wcs-node-agent)? If "
                "its "
                "socket is elsewhere, say\nwhere: --control.socket PATH, or --config FILE for the "
                "file it was started with.",
                path)};
        default:
            return failure(path, error);
    }
}

Result<Descriptor> connect_to(const std::string& path) {
    sockaddr_un address{};
    if (path.size() >= sizeof(address.sun_path)) return failure(path, ENAMETOOLONG);
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return failure(path, errno);
    const auto* const at = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket.get(), at, sizeof(address)) != 0) return cannot_connect(path, errno);
    return socket;
}

/// Up to its newline. Empty: it did not come in time, or the connection was closed.
std::string read_line(const Descriptor& socket, std::chrono::seconds timeout) {
    const auto deadline = Clock::now() + timeout;
    std::string line;
    std::array<char, 4096> part{};
    while (line.size() < longest_reply) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return "";
        pollfd readable{.fd = socket.get(), .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0) continue;
        const auto size = ::recv(socket.get(), part.data(), part.size(), 0);
        if (size <= 0) return "";
        line.append(part.data(), static_cast<std::size_t>(size));
        if (line.back() == '\n') return line;
    }
    return "";
}

}  // namespace

Result<ControlReply> ask_control_socket(const std::string& path, std::string_view request,
                                        std::chrono::seconds timeout) {
    const auto socket = connect_to(path);
    if (!socket) return socket.error();
    const std::string line = std::string(request) + '\n';
    std::ignore = ::send(socket->get(), line.data(), line.size(), MSG_NOSIGNAL);
    const auto reply = read_reply(read_line(*socket, timeout));
    if (!reply) return Error{path + ": no reply of an agent's in time"};
    if (!reply->error.empty()) return Error{fmt::format("{}: {} {}", path, request, reply->error)};
    return *reply;
}

}  // namespace wcs_node_agent
