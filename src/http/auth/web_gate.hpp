// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/auth/password_checker.hpp"
#include "http/http_message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wcs_node_agent {

/// A user and a password, as `Authorization: Basic` has them.
using Credentials = std::pair<std::string, std::string>;

/// None: it is not of this kind.
std::optional<Credentials> parse_basic_credentials(std::string_view authorization);

/// Lets in those requests that have a right password, where one is asked for.
class WebGate {
 public:
    explicit WebGate(const boost::asio::any_io_executor& executor) : checker_(executor) {}

    void configure(Users users) { checker_.configure(std::move(users)); }

    /// The response to a request that is not let in.
    boost::asio::awaitable<std::optional<HttpResponse>> refusal(const HttpRequest& request,
                                                                boost::asio::ip::address source);

 private:
    PasswordChecker checker_;
};

}  // namespace wcs_node_agent
