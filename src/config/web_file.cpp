// SPDX-License-Identifier: Apache-2.0
#include "config/web_file.hpp"

#include <wcs_node_agent/result.hpp>

#include <algorithm>
#include <array>
#include <openssl/ssl.h>
#include <set>
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

/// OpenSSL's name of a cipher suite; empty: it has none.
std::string_view openssl_cipher(const std::string& name) {
    const std::string_view known = OPENSSL_cipher_name(name.c_str());
    return known == "(NONE)" ? std::string_view() : known;
}

std::string_view openssl_curve(const std::string& name) {
    const auto* const found = std::ranges::find(curves, name, &decltype(curves)::value_type::first);
    return found == curves.end() ? std::string_view() : found->second;
}

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

/// A value with its JSON pointer within the file.
struct Value {
    YAML::Node node;
    std::string pointer;
};

struct Entry {
    Value key;
    Value value;

    const std::string& name() const { return key.node.Scalar(); }
};

/// The file that is read, and what is wrong with it.
class Document {
 public:
    explicit Document(const std::filesystem::path& file) : file_(file) {}

    void add_error(const Value& at, std::string what) {
        const YAML::Mark mark = at.node.Mark();
        std::string where = file_.string();
        if (!mark.is_null()) where += fmt::format(":{}:{}", mark.line + 1, mark.column + 1);
        if (!at.pointer.empty()) where += ": " + at.pointer;
        errors_.push_back({.where = std::move(where), .what = std::move(what)});
    }

    ConfigErrors take_errors() { return std::move(errors_); }

    /// The entries of a mapping; nothing at all is an empty one.
    std::vector<Entry> entries(const Value& mapping) {
        if (!mapping.node || mapping.node.IsNull()) return {};
        if (!mapping.node.IsMap()) {
            add_error(mapping, "must be a mapping of keys to values");
            return {};
        }
        std::vector<Entry> entries;
        std::set<std::string> seen;
        for (const auto& pair : mapping.node) {
            const auto& key = pair.first;
            if (!key.IsScalar()) {
                add_error({key, mapping.pointer}, "a key must be a string");
                continue;
            }
            const auto pointer = mapping.pointer + pointer_step(key.Scalar());
            if (seen.insert(key.Scalar()).second)
                entries.push_back({.key = {key, pointer}, .value = {pair.second, pointer}});
            else
                add_error({key, pointer}, "duplicate key");
        }
        return entries;
    }

    std::string read_string(const Value& value) {
        if (value.node.IsScalar()) return value.node.Scalar();
        add_error(value, "must be a string");
        return {};
    }

    /// Relative paths start at the file's folder.
    std::filesystem::path read_path(const Value& value) {
        const auto text = read_string(value);
        return text.empty() ? std::filesystem::path() : file_.parent_path() / text;
    }

    bool read_switch(const Value& value, bool otherwise) {
        bool read = otherwise;
        if (!YAML::convert<bool>::decode(value.node, read))
            add_error(value, "must be true or false");
        return read;
    }

 private:
    const std::filesystem::path& file_;
    ConfigErrors errors_;
};

/// A key that a mapping may have, and how its value is read into the target.
template <class Target>
struct Key {
    std::string_view name;
    void (*read)(Document&, const Value&, Target&);
};

template <class Keys, class Target>
void read_keys(Document& document, const Value& mapping, const Keys& keys, Target& target) {
    for (const Entry& entry : document.entries(mapping)) {
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

template <auto field>
void read_path(Document& document, const Value& value, TlsSettings& tls) {
    tls.*field = document.read_path(value);
}

template <auto field>
void read_switch(Document& document, const Value& value, TlsSettings& tls) {
    tls.*field = document.read_switch(value, tls.*field);
}

template <auto field, const auto& choices>
void read_choice(Document& document, const Value& value, TlsSettings& tls) {
    const auto text = value.node.IsScalar() ? value.node.Scalar() : std::string();
    std::string names;
    for (const auto& [name, choice] : choices) {
        if (name == text) {
            tls.*field = choice;
            return;
        }
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    document.add_error(value, "must be one of " + names);
}

/// A list of names, each translated to OpenSSL's; it takes them joined by `:`.
template <auto field, auto translate>
void read_list(Document& document, const Value& value, TlsSettings& tls) {
    if (!value.node.IsSequence()) {
        document.add_error(value, "must be a list");
        return;
    }
    std::string list;
    for (std::size_t i = 0; i < value.node.size(); ++i) {
        const Value element{value.node[i], value.pointer + pointer_step(std::to_string(i))};
        const auto name = document.read_string(element);
        const std::string translated(translate(name));
        if (translated.empty() && !name.empty())
            document.add_error(element, name + ": unknown here");
        list += (list.empty() ? "" : ":") + translated;
    }
    tls.*field = list;
}

constexpr std::array<Key<TlsSettings>, 9> tls_keys{{
    {"cert_file", read_path<&TlsSettings::cert_file>},
    {"key_file", read_path<&TlsSettings::key_file>},
    {"client_ca_file", read_path<&TlsSettings::client_ca_file>},
    {"client_auth_type", read_choice<&TlsSettings::client_auth, client_auths>},
    {"min_version", read_choice<&TlsSettings::min_version, tls_versions>},
    {"max_version", read_choice<&TlsSettings::max_version, tls_versions>},
    {"cipher_suites", read_list<&TlsSettings::ciphers, openssl_cipher>},
    {"curve_preferences", read_list<&TlsSettings::curves, openssl_curve>},
    {"prefer_server_cipher_suites", read_switch<&TlsSettings::prefer_own_ciphers>},
}};

void read_tls(Document& document, const Value& value, WebFile& web) {
    TlsSettings tls;
    read_keys(document, value, tls_keys, tls);
    const auto& node = value.node;
    const bool empty = !node || node.IsNull() || (node.IsMap() && node.size() == 0);
    if (empty) return;
    const auto require = [&](bool holds, const char* what) {
        if (!holds) document.add_error(value, what);
    };
    const bool verifies = tls.client_auth == ClientAuth::verify_if_given ||
                          tls.client_auth == ClientAuth::require_and_verify;
    const bool has_authority = !tls.client_ca_file.empty();
    require(!tls.cert_file.empty(), "needs a cert_file");
    require(!tls.key_file.empty(), "needs a key_file");
    require(has_authority || !verifies, "needs a client_ca_file to verify clients by");
    require(!has_authority || tls.client_auth != ClientAuth::none,
            "has a client_ca_file but no client_auth_type that uses it");
    require(tls.min_version <= tls.max_version, "min_version is higher than max_version");
    web.tls = std::move(tls);
}

void refuse_http2(Document& document, const Value& value, WebFile&) {
    if (document.read_switch(value, false))
        document.add_error(value, "HTTP/2 is not served here: set false");
}

void read_headers(Document& document, const Value& value, WebFile& web) {
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    };
    for (const Entry& entry : document.entries(value)) {
        if (std::ranges::find(header_names, entry.name()) == header_names.end()) {
            document.add_error(entry.key,
                               fmt::format("must be one of {}", fmt::join(header_names, ", ")));
            continue;
        }
        const auto text = document.read_string(entry.value);
        if (std::ranges::any_of(text, is_control))
            document.add_error(entry.value, "must be one line without control characters");
        else
            web.headers.emplace_back(entry.name(), text);
    }
}

constexpr std::array<Key<WebFile>, 2> http_keys{{
    {"http2", refuse_http2},
    {"headers", read_headers},
}};

void read_http(Document& document, const Value& value, WebFile& web) {
    read_keys(document, value, http_keys, web);
}

void read_users(Document& document, const Value& value, WebFile& web) {
    for (const Entry& entry : document.entries(value)) {
        if (entry.name().empty() || entry.name().find(':') != std::string::npos)
            document.add_error(entry.key, "a user's name must not be empty or have a colon");
        const auto hash = entry.value.node.IsScalar() ? entry.value.node.Scalar() : std::string();
        if (const auto checked = check_bcrypt(hash); !checked)
            document.add_error(entry.value, checked.error().what);
        else
            web.users[entry.name()] = hash;
    }
}

constexpr std::array<Key<WebFile>, 3> file_keys{{
    {"tls_server_config", read_tls},
    {"http_server_config", read_http},
    {"basic_auth_users", read_users},
}};

}  // namespace

Checked<WebFile> parse_web_file(std::string_view text, const std::filesystem::path& file) {
    Document document(file);
    WebFile web;
    try {
        read_keys(document, {YAML::Load(std::string(text)), ""}, file_keys, web);
    } catch (const YAML::Exception& error) {
        return ConfigErrors{{.where = fmt::format("{}:{}:{}", file.string(), error.mark.line + 1,
                                                  error.mark.column + 1),
                             .what = error.msg}};
    }
    if (auto errors = document.take_errors(); !errors.empty()) return errors;
    return web;
}

}  // namespace wcs_node_agent
