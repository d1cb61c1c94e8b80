// SPDX-License-Identifier: Apache-2.0
#include "config/web_file.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace wcs_node_agent;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

bool has_line_end(std::string_view text) { return text.find_first_of("\r\n") != text.npos; }

}  // namespace

/// No text may do harm; what is taken may be used as it is, and each error has its place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto web = parse_web_file({reinterpret_cast<const char*>(data), size}, "/web.yml");
    if (!web) {
        must(!web.error().empty());
        for (const ConfigError& error : web.error())
            must(error.where.starts_with("/web.yml") && !error.what.empty());
        return 0;
    }
    for (const auto& [name, value] : web->headers) must(!has_line_end(name + value));
    for (const auto& [name, hash] : web->users) must(hash.empty() || hash.size() == 60);
    for (const auto& warning : web->warnings) must(warning.starts_with("/web.yml"));
    if (web->tls) {
        must(!web->tls->cert_file.empty() && !web->tls->key_file.empty());
        must(web->tls->min_version >= TLS1_2_VERSION && web->tls->max_version >= TLS1_2_VERSION);
    }
    return 0;
}
