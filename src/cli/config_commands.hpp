// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <filesystem>
#include <iosfwd>
#include <optional>

namespace wcs_node_agent {

/// Looks at one file, the default one if none is named, and at what `run` would refuse of it on
/// this host: `FILE: ok`, or every error of it on `err`. Returns the exit status.
int check_config(const std::optional<std::filesystem::path>& file, std::ostream& out,
                 std::ostream& err);

/// Prints what the file and the command line come to, as a file that would do the same, or every
/// error on `err`. Returns the exit status.
int show_config(const std::optional<std::filesystem::path>& file, const Json& overrides,
                std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
