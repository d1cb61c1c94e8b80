// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

struct ListeningSocket {
    boost::asio::ip::tcp::endpoint at;
    std::uint64_t inode = 0;

    bool operator==(const ListeningSocket&) const = default;
};

/// Of /proc/net/tcp or tcp6: who listens. Lines that are not the file's are passed over.
std::vector<ListeningSocket> parse_listening(std::string_view table);

/// Whether a program that listens at one of them keeps another from the other: any address includes
/// all of its family, that of IPv6 those of IPv4 too.
bool overlap(const boost::asio::ip::tcp::endpoint& one,
             const boost::asio::ip::tcp::endpoint& other);

struct PortHolder {
    pid_t pid = 0;
    std::string program;  // its name, as the kernel has it
};

/// The program that listens at the endpoint, or at what includes it, in this network namespace.
/// None: there is none, or this process may not look into it. proc: where the kernel's files are.
std::optional<PortHolder> find_port_holder(const boost::asio::ip::tcp::endpoint& at,
                                           const std::filesystem::path& proc = "/proc");

/// Where this process listens that is the endpoint, includes it or is a part of it. Empty: nowhere,
/// or this one may not look into it.
std::vector<boost::asio::ip::tcp::endpoint> listens_at(pid_t process,
                                                       const boost::asio::ip::tcp::endpoint& at,
                                                       const std::filesystem::path& proc = "/proc");

}  // namespace wcs_node_agent
