// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <system_error>
#include <utility>

#include <boost/system/result.hpp>
#include <boost/throw_exception.hpp>

namespace wcs_node_agent {

/// Why something did not work, for an operator to act on: what, where, and what to do.
struct Error {
    std::string what;
    std::error_code code = {};  // the system's reason, if that is known, for the program to act on
};

/// "WHAT: REASON".
inline Error failure(const std::string& what, std::error_code code) {
    return {what + ": " + code.message(), code};
}

/// error: as in errno.
inline Error failure(const std::string& what, int error) {
    return failure(what, std::error_code(error, std::generic_category()));
}

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& where) {
    boost::throw_exception(std::runtime_error(error.what), where);
}

/// A value, or the reason why there is none.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace wcs_node_agent
