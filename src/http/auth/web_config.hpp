// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/file_stamp.hpp"
#include "config/web_file.hpp"
#include "http/auth/tls_certificates.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// What the web file asks for, ready to be used.
struct WebConfig {
    std::shared_ptr<TlsCertificates> tls;    // null: plain HTTP
    Headers headers = {};                    // of each response
    Users users = {};                        // none: no password is asked for
    std::vector<std::string> warnings = {};  // what of it is not served
    std::filesystem::path file = {};         // empty: there is none
    FileStamp stamp = {};                    // the file's, from before it was read
};

/// What the web file says, before the files that it names are read.
Checked<WebFile> read_web_file(const std::filesystem::path& file);

/// The web file and those that it names, ready to be used, or all their errors. No file: plain HTTP
/// for everybody. Where the settings of TLS are those in use, so are the certificates, which are
/// followed by themselves.
Checked<WebConfig> load_web_config(const std::filesystem::path& file,
                                   const WebConfig* in_use = nullptr);

/// The same, but where this user may not read the file any more what is in use stays, with a
/// warning: one for root alone was read before privileges were dropped.
Checked<WebConfig> reload_web_config(const std::filesystem::path& file, const WebConfig& in_use);

}  // namespace wcs_node_agent
