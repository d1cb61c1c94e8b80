// SPDX-License-Identifier: Apache-2.0
#include "wcs/url.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include <boost/url/parse.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace urls = boost::urls;

Result<WcsUrl> parse_http_url(std::string_view text, std::string_view example) {
    const auto fault = [text](std::string_view what) {
        return Error{fmt::format("'{}' {}", text, what)};
    };
    const auto parsed = urls::parse_uri(text);
    if (!parsed) {
        return fault(fmt::format("is not a URL such as {}", example));
    }
    const urls::url_view& url = *parsed;
    const bool tls = url.scheme_id() == urls::scheme::https;
    if (!tls && url.scheme_id() != urls::scheme::http) {
        return fault("does not begin with http:// or https://");
    }
    if (url.host_address().empty()) {
        return fault("names no host");
    }
    if (url.has_userinfo()) {
        return fault("has a user name, which is not supported");
    }
    if (!url.port().empty() && url.port_number() == 0) {
        return fault("has a port outside 1..65535");
    }
    std::string target(url.encoded_target());
    if (!target.starts_with('/')) {
        target.insert(0, 1, '/');
    }
    const std::uint16_t default_port = tls ? 443 : 80;
    return WcsUrl{std::string(text), url.host_address(),
                  url.port().empty() ? default_port : url.port_number(), std::move(target), tls};
}

Result<WcsUrl> parse_wcs_url(std::string_view text) {
    return parse_http_url(text, "http://127.0.0.1:8081/?action=stat");
}

}  // namespace wcs_node_agent
