// SPDX-License-Identifier: Apache-2.0
#include "config/web_file.hpp"

#include <wcs_node_agent/result.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <openssl/ssl.h>
#include <set>
#include <span>
#include <utility>
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

constexpr std::array<std::pair<std::string_view, ClientAuth>, 5> client_auths{
    {{"NoClientCert", ClientAuth::none},
     {"RequestClientCert", ClientAuth::request},
     {"RequireAnyClientCert", ClientAuth::require_any},
     {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
     {"RequireAndVerifyClientCert", ClientAuth::require_and_verify}}};

constexpr std::array<std::pair<std::string_view, int>, 2> tls_versions{
    {{"TLS12", TLS1_2_VERSION}, {"TLS13", TLS1_3_VERSION}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> curves{
    {{"X25519", "X25519"}, {"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}}};

/// 2^16 rounds take seconds on any machine.
constexpr int highest_cost = 16;

/// `$2b$12$` and 53 digits of salt and hash; a and y are the same algorithm.
Result<void> check_bcrypt(std::string_view hash) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_radix64 = [&](char c) {
        return c == '.' || c == '/' || is_digit(c) || (c >= 'A' && c <= 'Z') ||
               (c >= 'a' && c <= 'z');
    };
    const bool is_bcrypt = hash.size() == 60 && hash.starts_with("$2") &&
                           "aby"sv.find(hash[2]) != "aby"sv.npos && hash[3] == '$' &&
                           is_digit(hash[4]) && is_digit(hash[5]) && hash[6] == '$' &&
                           std::ranges::all_of(hash.substr(7), is_radix64);
    if (!is_bcrypt)
        return Error{"must be a bcrypt hash of the password: make one with htpasswd -nBC 10 USER"};
    const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    if (cost < 4 || cost > highest_cost)
        return Error{
            fmt::format("has the cost {}: from 4 to {} is taken, as more would keep "
                        "each client waiting for seconds",
                        cost, highest_cost)};
    return {};
}

class Reader {
 public:
    explicit Reader(const std::filesystem::path& file) : file_(file) {}

    WebFile read(const YAML::Node& root) {
        WebFile web;
        each_key(root, "", {"tls_server_config", "http_server_config", "basic_auth_users"},
                 [&](std::size_t key, const YAML::Node& value, const std::string& path) {
                     if (key == 0) web.tls = read_tls(value, path);
                     if (key == 1) web.headers = read_http(value, path);
                     if (key == 2) web.users = read_users(value, path);
                 });
        return web;
    }

    Faults take_faults() { return std::move(faults_); }

 private:
    void add(const YAML::Node& at, const std::string& path, std::string what) {
        const YAML::Mark mark = at.Mark();
        std::string where = file_.string();
        if (!mark.is_null()) where += fmt::format(":{}:{}", mark.line + 1, mark.column + 1);
        if (!path.empty()) where += ": " + path;
        faults_.push_back({.where = std::move(where), .what = std::move(what)});
    }

    /// Hands the pairs of a mapping to use(key, key_text, value, path); nothing at all is an empty
    /// mapping.
    template <class Use>
    void each_pair(const YAML::Node& node, const std::string& path, const Use& use) {
        if (!node || node.IsNull()) return;
        if (!node.IsMap()) {
            add(node, path, "must be a mapping of keys to values");
            return;
        }
        std::set<std::string> seen;
        for (const auto& pair : node) {
            if (!pair.first.IsScalar()) {
                add(pair.first, path, "a key must be a text");
                continue;
            }
            const auto& key = pair.first.Scalar();
            const auto below = path + pointer_step(key);
            if (seen.insert(key).second)
                use(pair.first, key, pair.second, below);
            else
                add(pair.first, below, "is there twice");
        }
    }

    template <class Use>
    void each_key(const YAML::Node& node, const std::string& path,
                  std::initializer_list<std::string_view> known, const Use& use) {
        each_pair(node, path,
                  [&](const YAML::Node& key, const std::string& name, const YAML::Node& value,
                      const std::string& below) {
                      const auto* const found = std::ranges::find(known, name);
                      if (found != known.end())
                          use(static_cast<std::size_t>(found - known.begin()), value, below);
                      else
                          add_unknown(key, name, below, {known.begin(), known.size()});
                  });
    }

    void add_unknown(const YAML::Node& key, const std::string& name, const std::string& path,
                     std::span<const std::string_view> known) {
        const auto* const other =
            std::ranges::find(not_supported, name, &decltype(not_supported)::value_type::first);
        add(key, path,
            other == not_supported.end()
                ? "unknown key" + did_you_mean(name, known)
                : fmt::format("is not supported by this program: {}", other->second));
    }

    std::string read_text(const YAML::Node& node, const std::string& path) {
        if (node.IsScalar()) return node.Scalar();
        add(node, path, "must be a text");
        return {};
    }

    std::filesystem::path read_path(const YAML::Node& node, const std::string& path) {
        const auto text = read_text(node, path);
        return text.empty() ? std::filesystem::path() : file_.parent_path() / text;
    }

    /// As long as the value is not one of the choices, what is there stays.
    template <class Choices, class Field>
    void read_choice(const YAML::Node& node, const std::string& path, const Choices& choices,
                     Field& field) {
        const auto text = node.IsScalar() ? node.Scalar() : std::string();
        std::string names;
        for (const auto& [name, choice] : choices) {
            if (name == text) {
                field = choice;
                return;
            }
            names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
        }
        add(node, path, "must be one of " + names);
    }

    /// A list of names, each of which translate(name) makes OpenSSL's, joined by `:`; empty: it has
    /// none.
    template <class Translate>
    std::string read_list(const YAML::Node& node, const std::string& path,
                          const Translate& translate) {
        if (!node.IsSequence()) {
            add(node, path, "must be a list");
            return {};
        }
        std::string list;
        for (std::size_t i = 0; i < node.size(); ++i) {
            const auto below = path + pointer_step(std::to_string(i));
            const auto name = read_text(node[i], below);
            const std::string translated(translate(name));
            if (translated.empty() && !name.empty()) add(node[i], below, name + ": unknown here");
            list += (list.empty() ? "" : ":") + translated;
        }
        return list;
    }

    bool read_switch(const YAML::Node& node, const std::string& path, bool otherwise) {
        bool value = otherwise;
        if (!YAML::convert<bool>::decode(node, value)) add(node, path, "must be true or false");
        return value;
    }

    std::optional<TlsSettings> read_tls(const YAML::Node& node, const std::string& path) {
        TlsSettings tls;
        each_key(
            node, path,
            {"cert_file", "key_file", "client_ca_file", "client_auth_type", "min_version",
             "max_version", "cipher_suites", "curve_preferences", "prefer_server_cipher_suites"},
            [&](std::size_t key, const YAML::Node& value, const std::string& below) {
                set_tls(tls, key, value, below);
            });
        const bool empty = !node || node.IsNull() || (node.IsMap() && node.size() == 0);
        if (empty) return std::nullopt;
        if (tls.cert_file.empty()) add(node, path, "needs a cert_file");
        if (tls.key_file.empty()) add(node, path, "needs a key_file");
        const bool verifies = tls.client_auth == ClientAuth::verify_if_given ||
                              tls.client_auth == ClientAuth::require_and_verify;
        if (verifies && tls.client_ca_file.empty())
            add(node, path, "needs a client_ca_file to verify clients by");
        if (tls.client_auth == ClientAuth::none && !tls.client_ca_file.empty())
            add(node, path, "has a client_ca_file but no client_auth_type that uses it");
        if (tls.min_version > tls.max_version)
            add(node, path, "min_version is higher than max_version");
        return tls;
    }

    void set_tls(TlsSettings& tls, std::size_t key, const YAML::Node& value,
                 const std::string& path) {
        switch (key) {
            case 0:
                tls.cert_file = read_path(value, path);
                break;
            case 1:
                tls.key_file = read_path(value, path);
                break;
            case 2:
                tls.client_ca_file = read_path(value, path);
                break;
            case 3:
                read_choice(value, path, client_auths, tls.client_auth);
                break;
            case 4:
                read_choice(value, path, tls_versions, tls.min_version);
                break;
            case 5:
                read_choice(value, path, tls_versions, tls.max_version);
                break;
            case 6:
                tls.ciphers = read_list(value, path, [](const std::string& name) {
                    const std::string_view known = OPENSSL_cipher_name(name.c_str());
                    return known == "(NONE)" ? std::string_view() : known;
                });
                break;
            case 7:
                tls.curves = read_list(value, path, [](const std::string& name) {
                    const auto* const found =
                        std::ranges::find(curves, name, &decltype(curves)::value_type::first);
                    return found == curves.end() ? std::string_view() : found->second;
                });
                break;
            default:
                tls.prefer_own_ciphers = read_switch(value, path, true);
        }
    }

    Headers read_http(const YAML::Node& node, const std::string& path) {
        Headers headers;
        each_key(node, path, {"http2", "headers"},
                 [&](std::size_t key, const YAML::Node& value, const std::string& below) {
                     if (key == 1)
                         headers = read_headers(value, below);
                     else if (read_switch(value, below, false))
                         add(value, below, "HTTP/2 is not served here: set false");
                 });
        return headers;
    }

    Headers read_headers(const YAML::Node& node, const std::string& path) {
        Headers headers;
        each_pair(node, path,
                  [&](const YAML::Node& key, const std::string& name, const YAML::Node& value,
                      const std::string& below) {
                      if (std::ranges::find(header_names, name) == header_names.end()) {
                          add(key, below,
                              fmt::format("must be one of {}", fmt::join(header_names, ", ")));
                          return;
                      }
                      const auto text = read_text(value, below);
                      const auto is_control = [](char c) {
                          return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
                      };
                      if (std::ranges::any_of(text, is_control))
                          add(value, below, "must be one line without control characters");
                      else
                          headers.emplace_back(name, text);
                  });
        return headers;
    }

    Users read_users(const YAML::Node& node, const std::string& path) {
        Users users;
        each_pair(node, path,
                  [&](const YAML::Node& key, const std::string& name, const YAML::Node& value,
                      const std::string& below) {
                      if (name.empty() || name.find(':') != std::string::npos)
                          add(key, below, "a user's name must not be empty or have a colon");
                      const auto checked =
                          check_bcrypt(value.IsScalar() ? value.Scalar() : std::string());
                      if (!checked)
                          add(value, below, checked.error().what);
                      else
                          users[name] = value.Scalar();
                  });
        return users;
    }

    const std::filesystem::path& file_;
    Faults faults_;
};

}  // namespace

Checked<WebFile> parse_web_file(std::string_view text, const std::filesystem::path& file) {
    Reader reader(file);
    WebFile web;
    try {
        web = reader.read(YAML::Load(std::string(text)));
    } catch (const YAML::Exception& error) {
        return Faults{{.where = fmt::format("{}:{}:{}", file.string(), error.mark.line + 1,
                                            error.mark.column + 1),
                       .what = error.msg}};
    }
    if (auto faults = reader.take_faults(); !faults.empty()) return faults;
    return web;
}

}  // namespace wcs_node_agent
