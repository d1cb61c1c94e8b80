// SPDX-License-Identifier: Apache-2.0
#include "wcs/tls_trust.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

namespace ssl = boost::asio::ssl;

/// Adds the PEM certificates, and skips what else the text has, such as a key.
Result<void> add_certificates(SSL_CTX* context, const std::string& pem) {
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    ERR_clear_error();
    std::size_t number = 0;
    for (;; ++number) {
        const std::unique_ptr<X509, void (*)(X509*)> certificate(
            PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr), X509_free);
        if (!certificate) break;
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    }
    const auto last = ERR_peek_last_error();
    const bool is_end =
        ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!is_end)
        return Error{fmt::format("is damaged: certificate {} in it cannot be read", number + 1)};
    if (number == 0) return Error{"has no certificate (PEM)"};
    return {};
}

bool is_there(const char* path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

/// OpenSSL knows where its own build has them, SSL_CERT_FILE and SSL_CERT_DIR say it otherwise. The
/// static binary's build is Debian's: elsewhere it finds its folder missing.
void add_system_authorities(SSL_CTX* context) {
    SSL_CTX_set_default_verify_paths(context);
    const bool is_named = std::getenv(X509_get_default_cert_file_env()) ||
                          std::getenv(X509_get_default_cert_dir_env());
    if (!is_named && !is_there(X509_get_default_cert_file()) &&
        !is_there(X509_get_default_cert_dir())) {
        constexpr std::array bundles{"/etc/pki/tls/certs/ca-bundle.crt",  // Fedora, RHEL
                                     "/etc/ssl/ca-bundle.pem",            // SUSE
                                     "/etc/ssl/cert.pem"};                // Alpine
        for (const char* bundle : bundles)
            if (SSL_CTX_load_verify_file(context, bundle) == 1) break;
    }
    ERR_clear_error();
}

}  // namespace

Result<TlsTrust> TlsTrust::make(std::string ca_file, std::string ca_pem, bool insecure) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX* const native = context->native_handle();
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(native, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    if (ca_file.empty()) {
        add_system_authorities(native);
    } else if (auto added = add_certificates(native, ca_pem); !added) {
        return added.error();
    }
    // A certificate that is named is trusted as it is, whether its own issuer is known or not.
    if (!ca_file.empty())
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(native), X509_V_FLAG_PARTIAL_CHAIN);
    TlsTrust trust;
    trust.ca_file_ = std::move(ca_file);
    trust.ca_pem_ = std::move(ca_pem);
    trust.insecure_ = insecure;
    trust.context_ = std::move(context);
    return trust;
}

}  // namespace wcs_node_agent
