// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <boost/system/result.hpp>
#include <boost/throw_exception.hpp>

namespace wcs_node_agent {

/// Why something did not work, told so that an operator can act: what, where, and what to do.
struct Error {
    std::string what;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& where) {
    boost::throw_exception(std::runtime_error(error.what), where);
}

/// A value, or the reason why there is none.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace wcs_node_agent
