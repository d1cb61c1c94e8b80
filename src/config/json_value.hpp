// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/json.hpp"

#include <wcs_node_agent/result.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

// A value of the configuration file, or a string of the command line, read as the type of a field.

namespace wcs_node_agent {

/// `must be FORM, not VALUE`, for a string of any size.
Error must_be(std::string_view form, const Json& value);

/// One error of the value itself.
ConfigErrors one_error(Error error);

/// Adds the errors found at one step further down.
void append_below(ConfigErrors& errors, std::string_view key, ConfigErrors more);

/// Not empty and without control characters; it lives as long as the value.
Result<std::string_view> read_string(const Json& value);

/// The same, or empty: none is named.
Result<std::string_view> read_optional_string(const Json& value);

Result<std::string_view> read_absolute_path(const Json& value);

/// A number, or a string that is one.
std::optional<double> as_number(const Json& value);

/// A whole number from 0 to highest.
Result<std::size_t> read_count(const Json& value, std::size_t highest);

/// A string with its unit, such as "500ms".
Result<std::chrono::nanoseconds> read_duration(const Json& value, std::chrono::nanoseconds shortest,
                                               std::chrono::nanoseconds longest);

/// Bytes, or a string with its unit, such as "4MiB".
Result<std::size_t> read_size(const Json& value, std::size_t smallest, std::size_t greatest);

/// true and false in the file, on and off on the command line and there too.
Result<bool> read_switch(const Json& value);

/// A whole number without the `.0` that JSON gives to a double.
Json show_number(double number);

/// The names that a field's values have.
template <class T, std::size_t n>
using Choices = std::array<std::pair<std::string_view, T>, n>;

template <class T, std::size_t n>
Result<T> read_choice(const Json& value, const Choices<T, n>& choices) {
    std::string names;
    for (const auto& [name, choice] : choices) {
        if (value == name) {
            return choice;
        }
        names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
    }
    return must_be("one of " + names, value);
}

template <class T, std::size_t n>
std::string_view name_of(T value, const Choices<T, n>& choices) {
    return std::ranges::find(choices, value, &Choices<T, n>::value_type::second)->first;
}

/// Hands each member of an object to use(index, value), where index counts in `known`.
template <class Use>
ConfigErrors for_each_key(const Json& object, std::span<const std::string_view> known,
                          const Use& use) {
    ConfigErrors errors;
    for (const auto& [key, value] : object.items()) {
        const auto found = std::ranges::find(known, key);
        append_below(errors, key,
                     found == known.end()
                         ? one_error(Error{"unknown key" + did_you_mean(key, known)})
                         : use(static_cast<std::size_t>(found - known.begin()), value));
    }
    return errors;
}

/// Hands each string of an array, or a string alone, to use(string), which returns a Result<void>.
template <class Use>
ConfigErrors for_each_string(const Json& value, const Use& use) {
    const bool alone = !value.is_array();
    ConfigErrors errors;
    for (std::size_t i = 0; i < (alone ? 1 : value.size()); ++i) {
        const auto text = read_string(alone ? value : value[i]);
        const Result<void> used = text ? use(*text) : Result<void>(text.error());
        if (!used && alone) {
            return one_error(used.error());
        }
        if (!used) {
            append_below(errors, std::to_string(i), one_error(used.error()));
        }
    }
    return errors;
}

}  // namespace wcs_node_agent
