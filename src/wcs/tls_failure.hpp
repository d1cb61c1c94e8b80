// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/fetch_error.hpp"
#include "wcs/tls_trust.hpp"

#include <wcs_node_agent/wcs_url.hpp>

#include <openssl/types.h>
#include <string>

#include <boost/system/error_code.hpp>

// Why there is no TLS connection, in words that an operator can act on.

namespace wcs_node_agent {

/// Why the certificate that OpenSSL looks at is not taken.
std::string certificate_failure(X509_STORE_CTX* looked_at, const WcsUrl& url,
                                const TlsTrust& trust);

/// Why a handshake ended; `of_certificate` is what the certificate was refused for, or empty.
FetchError handshake_failure(boost::system::error_code error, const std::string& of_certificate);

}  // namespace wcs_node_agent
