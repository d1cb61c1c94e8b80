// SPDX-License-Identifier: Apache-2.0
#include "config/json_value.hpp"

#include "config/value_text.hpp"

#include <wcs_node_agent/ascii.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace wcs_node_agent {

using std::chrono::nanoseconds;

namespace {

/// The value as it stands in the file, or what it is: it may be nested as deep as the file is long.
std::string quoted(const Json& value) {
    if (value.is_structured()) {
        return value.is_array() ? "an array" : "an object";
    }
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Error must_be(std::string_view form, const Json& value) {
    return Error{fmt::format("must be {}, not {}", form, quoted(value))};
}

ConfigErrors one_error(Error error) { return {{.where = "", .what = std::move(error.what)}}; }

void append_below(ConfigErrors& errors, std::string_view key, ConfigErrors more) {
    for (ConfigError& error : more) {
        errors.push_back({.where = pointer_step(key) + error.where,
                          .what = std::move(error.what),
                          .key = std::string(key)});
    }
}

Result<std::string_view> read_string(const Json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        return must_be("a string", value);
    }
    const std::string_view text = value.get_ref<const std::string&>();
    if (std::ranges::any_of(text, is_ascii_control)) {
        return must_be("a string without control characters", value);
    }
    return text;
}

Result<std::string_view> read_optional_string(const Json& value) {
    const auto* const text = value.get_ptr<const std::string*>();
    return text && text->empty() ? std::string_view() : read_string(value);
}

Result<std::string_view> read_absolute_path(const Json& value) {
    auto text = read_string(value);
    if (text && !text->starts_with('/')) {
        return must_be("an absolute path", value);
    }
    return text;
}

std::optional<double> as_number(const Json& value) {
    if (value.is_string()) {
        return parse_number(value.get_ref<const std::string&>());
    }
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

Result<std::size_t> read_count(const Json& value, std::size_t highest) {
    const auto number = as_number(value);
    if (!number || *number < 0 || *number > static_cast<double>(highest) ||
        *number != std::floor(*number)) {
        return must_be(fmt::format("a whole number from 0 to {}", highest), value);
    }
    return static_cast<std::size_t>(*number);
}

Result<nanoseconds> read_duration(const Json& value, nanoseconds shortest, nanoseconds longest) {
    const auto duration =
        value.is_string() ? parse_duration(value.get_ref<const std::string&>()) : std::nullopt;
    if (!duration || *duration < shortest || *duration > longest) {
        return must_be(fmt::format("a duration with its unit from \"{}\" to \"{}\"",
                                   duration_text(shortest), duration_text(longest)),
                       value);
    }
    return *duration;
}

Result<std::size_t> read_size(const Json& value, std::size_t smallest, std::size_t greatest) {
    std::optional<std::size_t> size;
    if (value.is_string()) {
        size = parse_size(value.get_ref<const std::string&>());
    } else if (value.is_number_unsigned()) {
        size = value.get<std::size_t>();
    }
    if (!size || *size < smallest || *size > greatest) {
        return must_be(fmt::format("a size in bytes, or with its unit, from \"{}\" to \"{}\"",
                                   size_text(smallest), size_text(greatest)),
                       value);
    }
    return *size;
}

Result<bool> read_switch(const Json& value) {
    if (value.is_boolean()) {
        return value.get<bool>();
    }
    if (value == "on" || value == "off") {
        return value == "on";
    }
    return must_be("true or false", value);
}

Json show_number(double number) {
    constexpr double exact = 1LL << 53;
    return number == std::floor(number) && number < exact ? Json(static_cast<std::int64_t>(number))
                                                          : Json(number);
}

}  // namespace wcs_node_agent
