// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <openssl/tls1.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wcs_node_agent {

/// What is asked of a client's certificate; the names of Go's crypto/tls are in the web file.
enum class ClientAuth { none, request, require_any, verify_if_given, require_and_verify };

struct TlsSettings {
    std::filesystem::path cert_file;       // PEM, the server's own certificate first
    std::filesystem::path key_file;        // PEM, without a passphrase
    std::filesystem::path client_ca_file;  // PEM; empty: none
    ClientAuth client_auth = ClientAuth::none;
    int min_version = TLS1_2_VERSION;
    int max_version = TLS1_3_VERSION;
    std::string ciphers = {};     // for TLS 1.2, as OpenSSL lists them; empty: its own choice
    std::string ciphers_13 = {};  // for TLS 1.3; the same
    std::string curves = {};      // the same
    bool prefer_own_ciphers = true;

    bool operator==(const TlsSettings&) const = default;
};

/// Each user's bcrypt hash, as crypt(3) takes it; empty: no password is right.
using Users = std::map<std::string, std::string, std::less<>>;

/// The headers that each response gets.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// What a web file says, before the files that it names are read.
struct WebFile {
    std::optional<TlsSettings> tls;
    Headers headers;
    Users users;
    std::vector<std::string> warnings;  // each names a place in the file and what is not served
};

/// YAML as Prometheus' exporter-toolkit has it, which `promtool check web-config` judges by: what
/// that takes is taken, with a warning where it is not served. Errors are at `FILE:LINE:COLUMN`.
/// Relative paths start at the file's folder.
Checked<WebFile> parse_web_file(std::string_view text, const std::filesystem::path& file);

}  // namespace wcs_node_agent
