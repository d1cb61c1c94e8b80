// SPDX-License-Identifier: Apache-2.0
#include "http/auth/web_config.hpp"

#include "config/regular_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

Checked<WebFile> read_web_file(const std::filesystem::path& file) {
    constexpr std::size_t longest = 64 << 10;
    const auto text = read_regular_file(file, longest);
    if (!text) return ConfigErrors{{.where = file.string(), .what = text.error().what}};
    return parse_web_file(*text, file);
}

Checked<WebConfig> load_web_config(const std::filesystem::path& file, const WebConfig* in_use) {
    if (file.empty()) return WebConfig{};
    const auto stamp = stamp_of(file);
    auto parsed = read_web_file(file);
    if (!parsed) return parsed.error();
    WebConfig web{.tls = nullptr,
                  .headers = std::move(parsed->headers),
                  .users = std::move(parsed->users),
                  .warnings = std::move(parsed->warnings),
                  .file = file,
                  .stamp = stamp ? *stamp : FileStamp{}};
    if (!parsed->tls) return web;
    if (in_use && in_use->tls && in_use->tls->settings() == *parsed->tls) {
        web.tls = in_use->tls;
        web.tls->check_soon();
        return web;
    }
    auto certificates = TlsCertificates::load(*std::move(parsed->tls));
    if (!certificates)
        return ConfigErrors{{.where = fmt::format("{}: /tls_server_config", file.string()),
                             .what = certificates.error().what}};
    web.tls = *std::move(certificates);
    for (const auto& warning : web.tls->warnings())
        web.warnings.push_back(fmt::format("{}: /tls_server_config: {}", file.string(), warning));
    return web;
}

Checked<WebConfig> reload_web_config(const std::filesystem::path& file, const WebConfig& in_use) {
    const bool forbidden =
        ::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES;
    if (!forbidden || in_use.file != file) return load_web_config(file, &in_use);
    WebConfig same = in_use;
    same.warnings = {
        fmt::format("{}: this user may not read it any more: what was read before stays in use",
                    file.string())};
    return same;
}

}  // namespace wcs_node_agent
