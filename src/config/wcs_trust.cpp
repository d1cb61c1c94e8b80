// SPDX-License-Identifier: Apache-2.0
#include "config/wcs_trust.hpp"

#include "config/regular_file.hpp"

#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr std::size_t longest_ca_file = 1 << 20;

}  // namespace

Checked<WcsSettings> load_wcs_settings(const Config& config, const TlsTrust* in_use) {
    WcsSettings settings = wcs_settings(config);
    if (!config.wcs_url.tls) return settings;
    const std::string& file = config.wcs_ca_file;
    const auto fail = [&file](const std::string& what) {
        return ConfigErrors{{.where = "wcs_ca_file", .what = fmt::format("{} {}", file, what)}};
    };
    std::string pem;
    if (!file.empty()) {
        auto text = read_regular_file(file, longest_ca_file);
        if (!text && text.error().code == std::errc::permission_denied && in_use &&
            in_use->ca_file() == file) {
            spdlog::warn(
                "wcs_ca_file {}: this user may not read it any more: what was read before stays in "
                "use",
                file);
            settings.trust = *in_use;
            return settings;
        }
        if (!text) return fail(text.error().what);
        pem = std::move(*text);
    }
    auto trust = TlsTrust::make(file, std::move(pem), config.wcs_insecure);
    if (!trust) return fail(trust.error().what);
    settings.trust = std::move(*trust);
    return settings;
}

}  // namespace wcs_node_agent
