// SPDX-License-Identifier: Apache-2.0
#include "http/auth/tls_certificates.hpp"

#include "config/regular_file.hpp"

#include <chrono>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

constexpr auto look_interval = std::chrono::seconds(1);

constexpr std::size_t longest_pem = 1 << 20;

int take_any_certificate(int, X509_STORE_CTX*) { return 1; }

void ask_for_client_certificate(ssl::context& context, ClientAuth how) {
    const bool required = how == ClientAuth::require_any || how == ClientAuth::require_and_verify;
    const bool unverified = how == ClientAuth::request || how == ClientAuth::require_any;
    if (how == ClientAuth::none) return;
    SSL_CTX_set_verify(context.native_handle(),
                       SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       unverified ? take_any_certificate : nullptr);
}

/// Adds PEM certificates to those by which clients are verified, and their names to those that a
/// client chooses its certificate by. Nothing but these in the file is looked at, as Go does it;
/// false: there is none.
bool add_authorities(SSL_CTX* context, std::string_view pem) {
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    bool found = false;
    for (;; found = true) {
        const std::unique_ptr<X509, void (*)(X509*)> certificate(
            PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr), X509_free);
        if (!certificate) break;
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
        SSL_CTX_add_client_CA(context, certificate.get());
    }
    ERR_clear_error();
    return found;
}

/// Collects the errors of each setting.
class Loader {
 public:
    template <class Use>
    void file(std::string_view setting, const std::filesystem::path& path, const Use& use) {
        auto text = read_regular_file(path, longest_pem);
        if (!text) {
            add(setting, path.string(), text.error().what);
            return;
        }
        ERR_clear_error();
        error_code error;
        use(*text, error);
        OPENSSL_cleanse(text->data(), text->size());
        if (error) add(setting, path.string(), error.message());
    }

    void add(std::string_view setting, std::string_view value, std::string_view why) {
        errors_ += fmt::format("{}{} {}: {}", errors_.empty() ? "" : "; ", setting, value, why);
    }

    void warn(std::string_view setting, std::string_view value, std::string_view what) {
        warnings_.push_back(fmt::format("{} {} {}", setting, value, what));
    }

    const std::string& errors() const { return errors_; }
    std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
    std::string errors_;
    std::vector<std::string> warnings_;
};

struct Made {
    std::shared_ptr<ssl::context> context;
    std::vector<std::string> warnings;
};

Result<Made> make_context(const TlsSettings& settings) {
    auto made = std::make_shared<ssl::context>(ssl::context::tls_server);
    auto& context = *made;
    SSL_CTX* const native = context.native_handle();
    // Every handshake is a full one: a client certificate is looked at in each, and a client's
    // session takes no memory once it has gone.
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_num_tickets(native, 0);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    if (settings.prefer_own_ciphers) SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_min_proto_version(native, settings.min_version);
    SSL_CTX_set_max_proto_version(native, settings.max_version);
    // Without this OpenSSL asks for a passphrase on the terminal.
    context.set_password_callback([](std::size_t, auto) { return std::string(); });

    Loader loader;
    loader.file("cert_file", settings.cert_file, [&](const std::string& pem, error_code& error) {
        context.use_certificate_chain(asio::buffer(pem), error);
    });
    loader.file("key_file", settings.key_file, [&](const std::string& pem, error_code& error) {
        context.use_private_key(asio::buffer(pem), ssl::context::pem, error);
    });
    if (!settings.client_ca_file.empty())
        loader.file("client_ca_file", settings.client_ca_file,
                    [&](const std::string& pem, error_code&) {
                        if (add_authorities(native, pem)) return;
                        loader.warn("client_ca_file", settings.client_ca_file.string(),
                                    "has no certificate: no client's certificate is accepted");
                    });
    if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(native, settings.ciphers.c_str()) != 1)
        loader.add("cipher_suites", settings.ciphers, "OpenSSL has none of them for TLS 1.2");
    if (!settings.ciphers_13.empty() &&
        SSL_CTX_set_ciphersuites(native, settings.ciphers_13.c_str()) != 1)
        loader.add("cipher_suites", settings.ciphers_13, "OpenSSL does not take them");
    if (!settings.curves.empty() && SSL_CTX_set1_curves_list(native, settings.curves.c_str()) != 1)
        loader.add("curve_preferences", settings.curves, "OpenSSL does not take them");
    ERR_clear_error();
    if (!loader.errors().empty()) return Error{loader.errors()};
    ask_for_client_certificate(context, settings.client_auth);
    return Made{made, loader.take_warnings()};
}

}  // namespace

Result<std::shared_ptr<TlsCertificates>> TlsCertificates::load(TlsSettings settings) {
    std::shared_ptr<TlsCertificates> loaded(new TlsCertificates(std::move(settings)));
    loaded->seen_ = loaded->read_stamps();
    auto made = make_context(loaded->settings_);
    if (!made) return made.error();
    loaded->context_ = std::move(made->context);
    loaded->warnings_ = std::move(made->warnings);
    return loaded;
}

ssl::context& TlsCertificates::current(Clock::time_point now) {
    if (now < next_look_) return *context_;
    next_look_ = now + look_interval;
    const auto stamps = read_stamps();
    if (std::exchange(seen_, stamps) == stamps && !failing_) return *context_;
    if (auto made = make_context(settings_); made) {
        context_ = std::move(made->context);
        failing_ = false;
        spdlog::info("TLS: the certificate was read again: {}", settings_.cert_file.string());
        for (const auto& warning : made->warnings) spdlog::warn("TLS: {}", warning);
    } else if (!std::exchange(failing_, true)) {
        spdlog::error("TLS: the last certificate stays in use: {}", made.error().what);
    }
    return *context_;
}

/// What may not be looked at, as in a folder that this user may not enter, is taken for unchanged.
TlsCertificates::Stamps TlsCertificates::read_stamps() const {
    Stamps stamps;
    const std::array files{&settings_.cert_file, &settings_.key_file, &settings_.client_ca_file};
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto stamp = stamp_of(*files[i]);
        if (stamp)
            stamps[i] = *stamp;
        else if (stamp.error().code == std::errc::permission_denied)
            stamps[i] = seen_[i];
    }
    return stamps;
}

}  // namespace wcs_node_agent
