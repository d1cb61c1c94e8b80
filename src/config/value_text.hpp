// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

// How values are written, in the configuration file and on the command line alike. What the parsers
// here take, the formatters give back.

namespace wcs_node_agent {

/// A finite decimal number, the whole text of it.
std::optional<double> parse_number(std::string_view text);

/// A number and a percent sign, without a space: 80%, 12.5%.
std::optional<double> parse_percent(std::string_view text);

/// A number with its unit, ns, us, ms, s, m or h, without a space: 250ms, 1.5s. None if the unit is
/// missing or the value is more than about a century.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Bytes: a number alone or with B, KiB, MiB or GiB. None past one TiB.
std::optional<std::size_t> parse_size(std::string_view text);

/// ADDR:PORT, an IPv6 address in brackets, port 0 for any free one. Names are not looked up.
Result<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text);

/// Adds a network (10.0.0.0/8, fd00::/8) or one address to the list. Bits set past the prefix are
/// an error that tells the network meant.
Result<void> add_network(AllowList& list, std::string_view text);

/// As short as it can be: 80%, 12.5%.
std::string percent_text(double percent);

/// In the largest unit that needs no fraction: 250ms, 2s, 90s.
std::string duration_text(std::chrono::nanoseconds duration);

/// In the largest unit that needs no fraction: 16MiB, 1000B.
std::string size_text(std::size_t bytes);

std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint);

/// The IPv4 networks, then the IPv6 ones; a single address without its prefix.
std::vector<std::string> network_texts(const AllowList& list);

}  // namespace wcs_node_agent
