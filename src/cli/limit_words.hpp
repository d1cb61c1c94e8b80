// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/json.hpp"

#include <string>
#include <vector>

// Limits as words: `cpu 80 band-out 500`, as the script that this replaces took them.

namespace wcs_node_agent {

/// The names, with - for _.
std::vector<std::string> limit_words();

/// Adds name and value of each pair to `values`, an object of settings.
void add_limit_words(const std::vector<std::string>& words, Json& values, ConfigErrors& errors);

}  // namespace wcs_node_agent
