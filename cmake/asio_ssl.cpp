// SPDX-License-Identifier: Apache-2.0
// Asio's TLS, compiled once; apart from the rest, as not every room needs OpenSSL.
#include <boost/asio/ssl/impl/src.hpp>
