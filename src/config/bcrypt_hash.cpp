// SPDX-License-Identifier: Apache-2.0
#include "config/bcrypt_hash.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

/// 2^16 rounds take seconds on any machine.
constexpr int highest_cost = 16;

}  // namespace

Result<BcryptHash> read_bcrypt(std::string_view hash) {
    constexpr std::size_t digits = 53;
    constexpr std::size_t shortest = 59;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_radix64 = [&](char c) {
        return c == '.' || c == '/' || is_digit(c) || (c >= 'A' && c <= 'Z') ||
               (c >= 'a' && c <= 'z');
    };
    Error not_bcrypt{"must be a bcrypt hash of the password: make one with htpasswd -nBC 10 USER"};
    if (hash.size() < shortest || !hash.starts_with("$2")) return not_bcrypt;
    hash.remove_prefix(hash[2] == '$' ? 3 : 4);
    if (!is_digit(hash[0]) || !is_digit(hash[1])) return not_bcrypt;
    const int cost = (hash[0] - '0') * 10 + (hash[1] - '0');
    if (cost < 4 || cost > 31)
        return Error{fmt::format("has the cost {}, which bcrypt has not: 4 to 31", cost)};
    hash = hash.substr(0, 3 + digits);
    if (hash[2] != '$' || hash.size() < 3 + digits ||
        !std::ranges::all_of(hash.substr(3), is_radix64))
        return BcryptHash{"", "no password has this hash: make one with htpasswd -nBC 10 USER"};
    if (cost > highest_cost)
        return BcryptHash{
            "", fmt::format("has the cost {}: no password is right, as more than {} would "
                            "keep each client waiting for seconds",
                            cost, highest_cost)};
    return BcryptHash{"$2b$" + std::string(hash), ""};
}

}  // namespace wcs_node_agent
