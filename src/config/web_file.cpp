// SPDX-License-Identifier: Apache-2.0
#include "config/web_file.hpp"

#include "config/bcrypt_hash.hpp"
#include "config/web_yaml.hpp"

#include <wcs_node_agent/ascii.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/utf8.hpp>

#include <algorithm>
#include <array>
#include <openssl/ssl.h>
#include <span>
#include <utility>
#include <vector>
#include <yaml-cpp/yaml.h>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using namespace std::string_view_literals;

/// What the toolkit has and this program has not, with what to do.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> not_supported{{
    {"cert", "give the certificate as cert_file"},
    {"key", "give the key as key_file"},
    {"client_ca", "give the authority as client_ca_file"},
    {"client_allowed_sans", "use an authority that signs these clients alone"},
    {"rate_limit", "metrics_allow says who may ask"},
}};

/// Those that the toolkit lets a file set.
constexpr std::array header_names{"Content-Security-Policy"sv, "Strict-Transport-Security"sv,
                                  "X-Content-Type-Options"sv, "X-Frame-Options"sv,
                                  "X-XSS-Protection"sv};

constexpr std::array<std::pair<std::string_view, ClientAuth>, 7> client_auths{
    {{"", ClientAuth::none},
     {"NoClientCert", ClientAuth::none},
     {"RequestClientCert", ClientAuth::request},
     {"RequireAnyClientCert", ClientAuth::require_any},
     {"RequireClientCert", ClientAuth::require_any},
     {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
     {"RequireAndVerifyClientCert", ClientAuth::require_and_verify}}};

constexpr std::array<std::pair<std::string_view, int>, 4> tls_versions{{{"TLS10", TLS1_VERSION},
                                                                        {"TLS11", TLS1_1_VERSION},
                                                                        {"TLS12", TLS1_2_VERSION},
                                                                        {"TLS13", TLS1_3_VERSION}}};

/// Those that Go's crypto/tls has and does not call insecure.
constexpr std::array cipher_names{
    "TLS_RSA_WITH_AES_128_CBC_SHA"sv,
    "TLS_RSA_WITH_AES_256_CBC_SHA"sv,
    "TLS_RSA_WITH_AES_128_GCM_SHA256"sv,
    "TLS_RSA_WITH_AES_256_GCM_SHA384"sv,
    "TLS_AES_128_GCM_SHA256"sv,
    "TLS_AES_256_GCM_SHA384"sv,
    "TLS_CHACHA20_POLY1305_SHA256"sv,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"sv,
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"sv,
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"sv,
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"sv,
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"sv,
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"sv,
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"sv,
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"sv,
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"sv,
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"sv,
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> curves{
    {{"X25519", "X25519"}, {"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}}};

/// OpenSSL's name of a cipher suite; empty: it has none.
std::string_view openssl_cipher(const std::string& name) {
    if (std::ranges::find(cipher_names, name) == cipher_names.end()) return {};
    const std::string_view known = OPENSSL_cipher_name(name.c_str());
    return known == "(NONE)" ? std::string_view() : known;
}

/// The names of RFC 8446 are OpenSSL's own.
bool is_for_tls_13(std::string_view openssl_name) { return openssl_name.starts_with("TLS_"); }

std::string_view openssl_curve(const std::string& name) {
    const auto* const found = std::ranges::find(curves, name, &decltype(curves)::value_type::first);
    return found == curves.end() ? std::string_view() : found->second;
}

/// A key that a mapping may have, and how its value is read into the target.
template <class Target>
struct Key {
    std::string_view name;
    void (*read)(WebYaml&, const YamlValue&, Target&);
};

template <class Keys, class Target>
void read_keys(WebYaml& document, const YamlValue& mapping, const Keys& keys, Target& target) {
    for (const YamlEntry& entry : document.entries(mapping)) {
        const auto key = std::ranges::find(keys, entry.name(), &Key<Target>::name);
        if (key != keys.end()) {
            key->read(document, entry.value, target);
            continue;
        }
        const auto* const other = std::ranges::find(not_supported, entry.name(),
                                                    &decltype(not_supported)::value_type::first);
        if (other != not_supported.end()) {
            document.add_error(entry.key,
                               fmt::format("is not supported by this program: {}", other->second));
            continue;
        }
        std::vector<std::string_view> names;
        names.reserve(std::size(keys));
        for (const auto& known : keys) names.push_back(known.name);
        document.add_error(entry.key, "unknown key" + did_you_mean(entry.name(), names));
    }
}

/// What tls_server_config says, before it is looked at as a whole.
struct TlsSection {
    TlsSettings settings;
    bool has_client_auth = false;
};

template <auto field>
void read_path(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    if (!value.node.IsNull()) tls.settings.*field = document.read_path(value);
}

template <auto field>
void read_switch(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    tls.settings.*field = document.read_switch(value, tls.settings.*field);
}

template <auto field, const auto& choices>
void read_choice(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    if (value.node.IsNull()) return;
    const auto text = document.read_string(value);
    std::string names;
    for (const auto& [name, choice] : choices) {
        if (name == text) {
            tls.settings.*field = choice;
            return;
        }
        if (!name.empty()) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    document.add_error(value, "must be one of " + names);
}

void read_client_auth(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    read_choice<&TlsSettings::client_auth, client_auths>(document, value, tls);
    tls.has_client_auth = value.node.IsScalar() && !value.node.Scalar().empty();
}

/// TLS before 1.2 is not served, whatever the file says.
template <auto field>
void read_version(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    read_choice<field, tls_versions>(document, value, tls);
    if (tls.settings.*field >= TLS1_2_VERSION) return;
    document.add_warning(value, "TLS before 1.2 is not served here: 1.2 is taken");
    tls.settings.*field = TLS1_2_VERSION;
}

/// A list of names, each translated to OpenSSL's.
template <auto translate>
std::vector<std::string> read_list(WebYaml& document, const YamlValue& value) {
    std::vector<std::string> list;
    if (value.node.IsNull()) return list;
    if (!value.node.IsSequence()) {
        document.add_error(value, "must be a list");
        return list;
    }
    for (std::size_t i = 0; i < value.node.size(); ++i) {
        const YamlValue element{value.node[i], value.pointer + pointer_step(std::to_string(i))};
        if (element.node.IsNull()) continue;
        const auto name = document.read_string(element);
        const std::string translated(translate(name));
        if (!translated.empty())
            list.push_back(translated);
        else if (element.node.IsScalar())
            document.add_error(element, name + ": unknown here");
    }
    return list;
}

void read_curves(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    std::vector<std::string> named;  // OpenSSL refuses one that is there twice
    for (auto& curve : read_list<openssl_curve>(document, value))
        if (std::ranges::find(named, curve) == named.end()) named.push_back(std::move(curve));
    tls.settings.curves = fmt::format("{}", fmt::join(named, ":"));
}

/// Where suites of TLS 1.3 alone are named, 1.2 has none.
void read_ciphers(WebYaml& document, const YamlValue& value, TlsSection& tls) {
    std::string& older = tls.settings.ciphers = "";
    std::string& newest = tls.settings.ciphers_13 = "";
    for (const auto& name : read_list<openssl_cipher>(document, value)) {
        std::string& list = is_for_tls_13(name) ? newest : older;
        list += (list.empty() ? "" : ":") + name;
    }
}

constexpr std::array<Key<TlsSection>, 9> tls_keys{{
    {"cert_file", read_path<&TlsSettings::cert_file>},
    {"key_file", read_path<&TlsSettings::key_file>},
    {"client_ca_file", read_path<&TlsSettings::client_ca_file>},
    {"client_auth_type", read_client_auth},
    {"min_version", read_version<&TlsSettings::min_version>},
    {"max_version", read_version<&TlsSettings::max_version>},
    {"cipher_suites", read_ciphers},
    {"curve_preferences", read_curves},
    {"prefer_server_cipher_suites", read_switch<&TlsSettings::prefer_own_ciphers>},
}};

void warn_of_tls(WebYaml& document, const YamlValue& value, TlsSettings& tls) {
    const bool verifies = tls.client_auth == ClientAuth::verify_if_given ||
                          tls.client_auth == ClientAuth::require_and_verify;
    if (verifies && tls.client_ca_file.empty())
        document.add_warning(value, "has no client_ca_file: no client's certificate is accepted");
    if (tls.ciphers.empty() && !tls.ciphers_13.empty() && tls.min_version < TLS1_3_VERSION) {
        document.add_warning(value, "cipher_suites has none for TLS 1.2: only 1.3 is served");
        tls.min_version = TLS1_3_VERSION;
    }
    if (tls.min_version > tls.max_version)
        document.add_warning(value,
                             "min_version is higher than max_version: no client can connect");
}

void read_tls(WebYaml& document, const YamlValue& value, WebFile& web) {
    TlsSection section;
    read_keys(document, value, tls_keys, section);
    TlsSettings& tls = section.settings;
    const auto& node = value.node;
    if (!node || node.IsNull() || (node.IsMap() && node.size() == 0)) return;
    if (tls.cert_file.empty() && tls.key_file.empty() && tls.client_ca_file.empty() &&
        !section.has_client_auth) {
        document.add_warning(value, "has no cert_file and key_file: TLS is not served");
        return;
    }
    const auto require = [&](bool holds, const char* what) {
        if (!holds) document.add_error(value, what);
    };
    require(!tls.cert_file.empty(), "needs a cert_file");
    require(!tls.key_file.empty(), "needs a key_file");
    require(tls.client_ca_file.empty() || tls.client_auth != ClientAuth::none,
            "has a client_ca_file but no client_auth_type that uses it");
    warn_of_tls(document, value, tls);
    web.tls = std::move(tls);
}

void read_http2(WebYaml& document, const YamlValue& value, WebFile&) {
    if (document.read_switch(value, false))
        document.add_warning(value, "HTTP/2 is not served here: clients use HTTP/1.1");
}

/// The values that the toolkit takes; none: any.
std::span<const std::string_view> header_values(std::string_view name) {
    static constexpr std::array content_type{"nosniff"sv};
    static constexpr std::array frame{"deny"sv, "sameorigin"sv};
    if (name == "X-Content-Type-Options") return content_type;
    if (name == "X-Frame-Options") return frame;
    return {};
}

constexpr std::size_t longest_header_value = 16 << 10;  // most clients take no more in all

/// Line ends are sent as spaces, as Go does, and so is what a header cannot have.
void read_headers(WebYaml& document, const YamlValue& value, WebFile& web) {
    const auto is_control = [](char c) { return is_ascii_control(c) && c != '\t'; };
    for (const YamlEntry& entry : document.entries(value)) {
        const auto name = entry.name();
        if (std::ranges::find(header_names, name) == header_names.end()) {
            document.add_error(entry.key,
                               fmt::format("must be one of {}", fmt::join(header_names, ", ")));
            continue;
        }
        auto text = document.read_string(entry.value);
        const auto values = header_values(name);
        if (!values.empty() && std::ranges::find(values, text) == values.end())
            document.add_error(entry.value, fmt::format("must be {}", fmt::join(values, " or ")));
        if (text.size() > longest_header_value)
            document.add_error(entry.value, "is longer than 16 KiB");
        if (std::ranges::any_of(text, is_control))
            document.add_warning(entry.value,
                                 "line ends and control characters are sent as spaces");
        std::ranges::replace_if(text, is_control, ' ');
        std::erase_if(web.headers, [&](const auto& earlier) { return earlier.first == name; });
        web.headers.emplace_back(name, std::move(text));
    }
}

constexpr std::array<Key<WebFile>, 2> http_keys{{
    {"http2", read_http2},
    {"headers", read_headers},
}};

void read_http(WebYaml& document, const YamlValue& value, WebFile& web) {
    read_keys(document, value, http_keys, web);
}

void read_users(WebYaml& document, const YamlValue& value, WebFile& web) {
    for (const YamlEntry& entry : document.entries(value)) {
        if (entry.name().find(':') != std::string::npos)
            document.add_warning(entry.key, "no client can send a user's name with a colon");
        auto hash = read_bcrypt(entry.value.node.IsScalar() ? entry.value.node.Scalar() : "");
        if (!hash) {
            document.add_error(entry.value, hash.error().what);
            continue;
        }
        if (!hash->warning.empty()) document.add_warning(entry.value, hash->warning);
        web.users[entry.name()] = std::move(hash->text);
    }
}

constexpr std::array<Key<WebFile>, 3> file_keys{{
    {"tls_server_config", read_tls},
    {"http_server_config", read_http},
    {"basic_auth_users", read_users},
}};

}  // namespace

Checked<WebFile> parse_web_file(std::string_view text, const std::filesystem::path& file) {
    WebYaml document(file);
    WebFile web;
    if (valid_utf8(text) != text)
        return ConfigErrors{{.where = file.string(), .what = "is not UTF-8"}};
    try {
        read_keys(document, {YAML::Load(std::string(text)), ""}, file_keys, web);
    } catch (const YAML::Exception& error) {
        return ConfigErrors{{.where = fmt::format("{}:{}:{}", file.string(), error.mark.line + 1,
                                                  error.mark.column + 1),
                             .what = error.msg}};
    }
    if (auto errors = document.take_errors(); !errors.empty()) return errors;
    web.warnings = document.take_warnings();
    return web;
}

}  // namespace wcs_node_agent
