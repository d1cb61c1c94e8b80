// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

namespace wcs_node_agent {

/// One thing wrong in what the operator wrote.
struct ConfigError {
    std::string where;  // an option, or a file and the line or JSON pointer in it
    std::string what;
    std::string key = {};  // the setting it is about; empty: none, or all
};

/// All errors of one reading, never just the first.
using ConfigErrors = std::vector<ConfigError>;

/// A value, or everything that speaks against it.
template <class T>
using Checked = boost::system::result<T, ConfigErrors>;

/// One line an error: `WHERE: WHAT`.
std::string to_string(const ConfigErrors& errors);

/// One step of a JSON pointer, `/KEY`, escaped so that it can be printed.
std::string pointer_step(std::string_view key);

/// `; did you mean NAME?` with the known name nearest to a misspelt one, or nothing where none is
/// near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace wcs_node_agent
