// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/web_file.hpp"
#include "http/auth/tls_certificates.hpp"

#include <filesystem>
#include <memory>

namespace wcs_node_agent {

/// What the web file asks for, ready to be used.
struct WebConfig {
    std::shared_ptr<TlsCertificates> tls;  // null: plain HTTP
    Headers headers = {};                  // of each response
    Users users = {};                      // none: no password is asked for
};

/// The web file and those that it names, ready to be used, or all their errors. No file: plain HTTP
/// for everybody.
Checked<WebConfig> load_web_config(const std::filesystem::path& file);

}  // namespace wcs_node_agent
