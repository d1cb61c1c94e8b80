// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "serve/http_message.hpp"
#include "serve/password_checker.hpp"
#include "serve/tls_certificates.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wcs_node_agent {

/// What the web file asks for, ready to be used.
struct WebConfig {
    std::shared_ptr<TlsCertificates> tls;                           // null: plain HTTP
    std::vector<std::pair<std::string, std::string>> headers = {};  // of each response
    Users users = {};  // none: no password is asked for
};

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
