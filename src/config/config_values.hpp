// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/json.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

// The fields of Config that have a form or a range of their own, from and to JSON. set_...()
// changes nothing where there is an error.

namespace wcs_node_agent {

/// `http://HOST[:PORT][/PATH]`, as the client takes it.
Result<WcsUrl> read_url(const Json& value);

/// Above 0 and up to 1.
Result<double> read_recover(const Json& value);

/// A list of strings, possibly empty, none of them twice.
ConfigErrors set_strings(std::vector<std::string>& field, const Json& value);

/// Names that a number of the page may have, possibly none, none of them twice.
ConfigErrors set_names(std::vector<std::string>& field, const Json& value);

/// ADDR:PORT, one or a list of them, none of them twice but for port 0.
ConfigErrors set_endpoints(std::vector<boost::asio::ip::tcp::endpoint>& field, const Json& value);

Json show_endpoints(const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);

/// CIDR, one or a list of them.
ConfigErrors set_networks(AllowList& field, const Json& value);

/// Counts that the object leaves out stay as they are.
ConfigErrors set_counts(Config& config, const Json& value);

Json show_counts(const Config& config);

}  // namespace wcs_node_agent
