// SPDX-License-Identifier: Apache-2.0
#include "config/weight_values.hpp"

#include "config/json_value.hpp"

#include <string_view>

namespace wcs_node_agent {

namespace {

constexpr std::string_view by_itself = "auto";
constexpr double most_sessions = 1e6;
constexpr std::size_t most_balancers = 1000;

}  // namespace

Result<std::optional<double>> read_sessions(const Json& value) {
    if (value == by_itself) {
        return std::nullopt;
    }
    const auto number = as_number(value);
    if (!number || !(*number > 0) || *number > most_sessions) {
        return must_be("a number of sessions greater than 0 and up to 1000000, or \"auto\"", value);
    }
    return number;
}

Json show_sessions(const std::optional<double>& sessions) {
    return sessions ? show_number(*sessions) : Json(by_itself);
}

Result<std::size_t> read_balancers(const Json& value) {
    if (value == by_itself) {
        return std::size_t{0};
    }
    auto count = read_count(value, most_balancers);
    if (!count || *count == 0) {
        return must_be("a whole number from 1 to 1000, or \"auto\"", value);
    }
    return count;
}

Json show_balancers(std::size_t balancers) {
    return balancers > 0 ? Json(balancers) : Json(by_itself);
}

}  // namespace wcs_node_agent
