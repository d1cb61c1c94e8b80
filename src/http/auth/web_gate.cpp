// SPDX-License-Identifier: Apache-2.0
#include "http/auth/web_gate.hpp"

#include "http/http_routes.hpp"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace http = boost::beast::http;

namespace {

/// None: it is not Base64 (RFC 4648, 4), padded.
std::optional<std::string> decode_base64(std::string_view text) {
    const auto is_digit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
    };
    const auto padding = text.size() - std::min(text.find('='), text.size());
    const auto digits = text.substr(0, text.size() - padding);
    if (text.empty() || text.size() % 4 != 0 || padding > 2 ||
        !std::ranges::all_of(digits, is_digit) ||
        text.substr(digits.size()).find_first_not_of('=') != std::string_view::npos)
        return std::nullopt;
    std::string decoded(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    decoded.resize(decoded.size() - padding);
    return decoded;
}

HttpResponse retry_after(const HttpRequest& request, http::status status, std::string text,
                         long seconds) {
    auto response = text_response(request, status, std::move(text));
    response.set(http::field::retry_after, std::to_string(seconds));
    return response;
}

}  // namespace

std::optional<Credentials> parse_basic_credentials(std::string_view authorization) {
    constexpr std::string_view scheme = "Basic ";
    if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    authorization.remove_prefix(scheme.size());
    authorization.remove_prefix(
        std::min(authorization.find_first_not_of(' '), authorization.size()));
    auto text = decode_base64(authorization);
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    Credentials credentials(text->substr(0, colon), text->substr(colon + 1));
    OPENSSL_cleanse(text->data(), text->size());
    return credentials;
}

boost::asio::awaitable<std::optional<HttpResponse>> WebGate::refusal(
    const HttpRequest& request, boost::asio::ip::address source) {
    using enum PasswordChecker::Verdict;
    if (!checker_.wanted()) co_return std::nullopt;
    auto credentials = parse_basic_credentials(request[http::field::authorization]);
    const auto verdict = credentials
                             ? co_await checker_.check(source, std::move(credentials->first),
                                                       Secret(credentials->second))
                             : wrong;
    switch (verdict) {
        case right:
            co_return std::nullopt;
        case too_many_guesses:
            co_return retry_after(request, http::status::too_many_requests,
                                  "Too many wrong passwords came from this address.\n",
                                  GuessBudget::pause.count());
        case busy:
            co_return retry_after(request, http::status::service_unavailable,
                                  "Too many passwords wait to be checked.\n", 1);
        case wrong:
            break;
    }
    auto response = text_response(request, http::status::unauthorized, "Unauthorized\n");
    response.set(http::field::www_authenticate,
                 "Basic realm=\"wcs-node-agent\", charset=\"UTF-8\"");
    co_return response;
}

}  // namespace wcs_node_agent
