// SPDX-License-Identifier: Apache-2.0
// Asio's TLS, compiled once; apart from the rest, as only who serves needs OpenSSL.
#include <boost/asio/ssl/impl/src.hpp>
