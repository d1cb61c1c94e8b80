// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/fetch_error.hpp"
#include "wcs/fetch_words.hpp"
#include "wcs/tls_trust.hpp"

#include <wcs_node_agent/wcs_url.hpp>

#include <openssl/types.h>
#include <string>

#include <boost/system/error_code.hpp>

// Why there is no TLS connection, in words that an operator can act on.

namespace wcs_node_agent {

/// Why the certificate that OpenSSL looks at is not taken.
std::string certificate_failure(X509_STORE_CTX* looked_at, const WcsUrl& url, const TlsTrust& trust,
                                const FetchWords& words);

/// Why a handshake ended; `of_certificate` is what the certificate was refused for, or empty.
FetchError handshake_failure(boost::system::error_code error, const std::string& of_certificate,
                             const FetchWords& words);

/// What the server has against this client's certificate, or that it has none, of which it tells in
/// the handshake or, by TLS 1.3, when the client takes that for done. Empty: `error` is another.
std::string client_certificate_failure(boost::system::error_code error, const FetchWords& words);

}  // namespace wcs_node_agent
