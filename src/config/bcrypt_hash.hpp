// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <string>
#include <string_view>

namespace wcs_node_agent {

/// A bcrypt hash as it is to be used.
struct BcryptHash {
    std::string text;     // empty: no password is right
    std::string warning;  // empty: none
};

/// `$2b$12$` and 53 digits of salt and hash. For Go's bcrypt, which the toolkit has, any letter, or
/// none, stands for the same algorithm, and what comes after the digits counts for nothing.
Result<BcryptHash> read_bcrypt(std::string_view hash);

}  // namespace wcs_node_agent
