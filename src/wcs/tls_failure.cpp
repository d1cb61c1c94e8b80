// SPDX-License-Identifier: Apache-2.0
#include "wcs/tls_failure.hpp"

#include "wcs/http_reply.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

namespace {

namespace asio = boost::asio;

std::string text_of(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string address_of(const ASN1_STRING* bytes) {
    const auto* const data = ASN1_STRING_get0_data(bytes);
    asio::ip::address_v4::bytes_type v4;
    asio::ip::address_v6::bytes_type v6;
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(bytes));
    if (size == v4.size()) {
        std::copy_n(data, size, v4.begin());
        return asio::ip::address_v4(v4).to_string();
    }
    if (size != v6.size()) return "?";
    std::copy_n(data, size, v6.begin());
    return asio::ip::address_v6(v6).to_string();
}

/// An address in the place of a name counts for nothing, although it looks right.
std::string dns_name(const std::string& name) {
    boost::system::error_code error;
    asio::ip::make_address(name, error);
    return error ? name : name + " (as a DNS name, not as an IP address)";
}

std::string common_name(const X509_NAME* name) {
    const int place = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (place < 0) return "nobody";
    return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place)));
}

/// The names by which a client may call its owner; without any the common name, which is not one.
std::string names_of(const X509* certificate) {
    constexpr std::size_t most = 4;
    const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
        GENERAL_NAMES_free);
    std::vector<std::string> names;
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
        if (name->type == GEN_DNS) names.push_back(dns_name(text_of(name->d.dNSName)));
        if (name->type == GEN_IPADD) names.push_back(address_of(name->d.iPAddress));
    }
    if (names.empty())
        return common_name(X509_get_subject_name(certificate)) + ", without subjectAltName";
    if (names.size() > most) {
        names.resize(most);
        names.emplace_back("...");
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string date(const ASN1_TIME* time) {
    std::tm parts{};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? fmt::format("{:%Y-%m-%d %H:%M} UTC", parts)
                                              : "an unreadable date";
}

std::string untrusted(const std::string& whose, const std::string& why, const TlsTrust& trust,
                      const FetchWords& words) {
    if (trust.ca_file().empty())
        return fmt::format("{} is not trusted ({}): {}", whose, why, words.trust);
    return fmt::format("{} is not trusted ({}): {} ({}) has neither it nor its CA's", whose, why,
                       trust.ca_file(), words.trusted_by);
}

std::string describe(X509_STORE_CTX* looked_at, const WcsUrl& url, const TlsTrust& trust,
                     const FetchWords& words) {
    const int error = X509_STORE_CTX_get_error(looked_at);
    const X509* const certificate = X509_STORE_CTX_get_current_cert(looked_at);
    const std::string why = X509_verify_cert_error_string(error);
    if (certificate == nullptr) return untrusted("the certificate", why, trust, words);
    const std::string whose = X509_STORE_CTX_get_error_depth(looked_at) == 0
                                  ? "the certificate"
                                  : fmt::format("the CA's certificate, of {},",
                                                common_name(X509_get_subject_name(certificate)));
    switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return fmt::format("{} expired at {}", whose, date(X509_get0_notAfter(certificate)));
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return fmt::format("{} is not valid before {}: is the clock of this node right?", whose,
                               date(X509_get0_notBefore(certificate)));
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return fmt::format("{} is for {}, not for {}: {}", whose, names_of(certificate),
                               url.host, words.other_name);
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // a CA of the same name with another key
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return untrusted(whose, why, trust, words);
        default:
            return fmt::format("{} is not fit for this ({}): {}", whose, why, words.unfit);
    }
}

bool is_end(boost::system::error_code error) {
    return error == asio::error::eof || error == asio::error::connection_reset ||
           error == asio::error::broken_pipe || error == asio::ssl::error::stream_truncated;
}

bool is_of_openssl(boost::system::error_code error) {
    return error.category() == asio::error::get_ssl_category() &&
           ERR_GET_LIB(static_cast<unsigned long>(error.value())) == ERR_LIB_SSL;
}

int reason_of(boost::system::error_code error) {
    return ERR_GET_REASON(static_cast<unsigned long>(error.value()));
}

bool is_no_tls(boost::system::error_code error) {
    constexpr std::array reasons{SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST,
                                 SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_ENCRYPTED_LENGTH_TOO_LONG};
    return is_of_openssl(error) && std::ranges::find(reasons, reason_of(error)) != reasons.end();
}

}  // namespace

std::string certificate_failure(X509_STORE_CTX* looked_at, const WcsUrl& url, const TlsTrust& trust,
                                const FetchWords& words) {
    auto text = describe(looked_at, url, trust, words);
    std::ranges::replace_if(
        text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

std::string client_certificate_failure(boost::system::error_code error, const FetchWords& words) {
    constexpr std::array refusals{
        SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,     SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA};
    if (!is_of_openssl(error)) return {};
    if (reason_of(error) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
        return "it wants a client's certificate: " + words.certificate;
    if (reason_of(error) == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)  // TLS 1.2 has no alert for that
        return "it refuses the handshake; if it wants a client's certificate: " + words.certificate;
    if (std::ranges::find(refusals, reason_of(error)) == refusals.end()) return {};
    return fmt::format("it does not take this client's certificate ({})",
                       one_line(error.message()));
}

FetchError handshake_failure(boost::system::error_code error, const std::string& of_certificate,
                             const FetchWords& words) {
    if (!of_certificate.empty()) return {WcsFault::tls, of_certificate};
    if (auto of_client = client_certificate_failure(error, words); !of_client.empty())
        return {WcsFault::tls, std::move(of_client)};
    const auto if_plain = "if this port is plain HTTP, " + words.use_plain;
    if (is_end(error))
        return {WcsFault::tls,
                fmt::format("the connection ended in the TLS handshake: {}", if_plain), true};
    if (is_no_tls(error))
        return {WcsFault::tls, fmt::format("what answers is not TLS: {}", if_plain)};
    return {WcsFault::tls, "no TLS connection: " + one_line(error.message())};
}

}  // namespace wcs_node_agent
