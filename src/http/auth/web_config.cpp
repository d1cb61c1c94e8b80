// SPDX-License-Identifier: Apache-2.0
#include "http/auth/web_config.hpp"

#include "config/config_file.hpp"

#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

Checked<WebConfig> load_web_config(const std::filesystem::path& file) {
    if (file.empty()) return WebConfig{};
    const auto text = read_config_file(file);
    if (!text) return ConfigErrors{{.where = file.string(), .what = text.error().what}};
    auto parsed = parse_web_file(*text, file);
    if (!parsed) return parsed.error();
    WebConfig web{
        .tls = nullptr, .headers = std::move(parsed->headers), .users = std::move(parsed->users)};
    if (!parsed->tls) return web;
    auto certificates = TlsCertificates::load(*std::move(parsed->tls));
    if (!certificates)
        return ConfigErrors{{.where = fmt::format("{}: /tls_server_config", file.string()),
                             .what = certificates.error().what}};
    web.tls = *std::move(certificates);
    return web;
}

}  // namespace wcs_node_agent
