// SPDX-License-Identifier: Apache-2.0
#include "config/config_values.hpp"

#include "config/json_value.hpp"
#include "config/value_text.hpp"
#include "wcs/page.hpp"
#include "wcs/url.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

Result<void> add_once(std::vector<std::string>& texts, std::string_view text) {
    if (std::ranges::find(texts, text) != texts.end()) {
        return Error{fmt::format("\"{}\" listed twice", text)};
    }
    texts.emplace_back(text);
    return {};
}

/// Whether a page could have it as the name of a number: by trying. The names of a JSON page are
/// those of the text page.
bool can_be_on_a_page(std::string_view name) {
    const auto page = parse_page(fmt::format("{}=1\n", name), Ending::known, 1, {});
    return page && page->numbers.contains(name);
}

using NamesByProtocol = std::array<std::vector<std::string>, all_protocols.size()>;

ConfigErrors set_names_by_protocol(NamesByProtocol& field, const Json& value) {
    constexpr std::array known{to_string(Protocol::webrtc), to_string(Protocol::rtmp),
                               to_string(Protocol::rtsp)};
    if (!value.is_object()) {
        return one_error(must_be("an object with \"webrtc\", \"rtmp\" and \"rtsp\"", value));
    }
    return for_each_key(value, known, [&](std::size_t protocol, const Json& names) {
        return set_names(field[protocol], names);
    });
}

Json show_names_by_protocol(const NamesByProtocol& names) {
    Json shown = Json::object();
    for (const Protocol protocol : all_protocols) {
        shown[to_string(protocol)] = names[static_cast<std::size_t>(protocol)];
    }
    return shown;
}

}  // namespace

ConfigErrors set_names(std::vector<std::string>& field, const Json& value) {
    std::vector<std::string> names;
    ConfigErrors errors = for_each_string(value, [&](std::string_view name) -> Result<void> {
        if (!can_be_on_a_page(name)) {
            return Error{
                fmt::format("\"{}\" can be no name on the page: those have no = in them, no - in "
                            "front, no spaces around them and 128 bytes at most",
                            name)};
        }
        return add_once(names, name);
    });
    if (errors.empty()) {
        field = std::move(names);
    }
    return errors;
}

Result<WcsUrl> read_url(const Json& value) {
    const auto text = read_string(value);
    return text ? parse_wcs_url(*text) : Result<WcsUrl>(text.error());
}

Result<double> read_recover(const Json& value) {
    const auto number = as_number(value);
    if (!number || *number <= 0 || *number > 1) {
        return must_be("a number greater than 0 and up to 1", value);
    }
    return *number;
}

ConfigErrors set_strings(std::vector<std::string>& field, const Json& value) {
    std::vector<std::string> texts;
    ConfigErrors errors =
        for_each_string(value, [&](std::string_view text) { return add_once(texts, text); });
    if (errors.empty()) {
        field = std::move(texts);
    }
    return errors;
}

ConfigErrors set_endpoints(std::vector<boost::asio::ip::tcp::endpoint>& field, const Json& value) {
    if (value.is_array() && value.empty()) {
        return one_error(Error{"must name at least one ADDR:PORT"});
    }
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;
    ConfigErrors errors = for_each_string(value, [&](std::string_view text) -> Result<void> {
        const auto endpoint = parse_endpoint(text);
        if (!endpoint) {
            return endpoint.error();
        }
        if (endpoint->port() != 0 && std::ranges::find(endpoints, *endpoint) != endpoints.end()) {
            return Error{fmt::format("\"{}\" listed twice", text)};
        }
        endpoints.push_back(*endpoint);
        return {};
    });
    if (errors.empty()) {
        field = std::move(endpoints);
    }
    return errors;
}

Json show_endpoints(const std::vector<boost::asio::ip::tcp::endpoint>& endpoints) {
    Json texts = Json::array();
    std::ranges::transform(endpoints, std::back_inserter(texts), endpoint_text);
    return texts;
}

ConfigErrors set_networks(AllowList& field, const Json& value) {
    if (value.is_array() && value.empty()) {
        return one_error(Error{"must name at least one network"});
    }
    AllowList networks;
    ConfigErrors errors =
        for_each_string(value, [&](std::string_view text) { return add_network(networks, text); });
    if (errors.empty()) {
        field = std::move(networks);
    }
    return errors;
}

ConfigErrors set_counts(Config& config, const Json& value) {
    constexpr std::array<std::string_view, 4> known{"publishers", "subscribers", "hls",
                                                    "connections"};
    if (!value.is_object()) {
        return one_error(must_be(
            "an object with \"publishers\", \"subscribers\", \"hls\" and \"connections\"", value));
    }
    CountNames counts = config.counts;
    ConfigErrors errors = for_each_key(value, known, [&](std::size_t count, const Json& names) {
        switch (count) {
            case 0:
                return set_names_by_protocol(counts.publishers, names);
            case 1:
                return set_names_by_protocol(counts.subscribers, names);
            case 2:
                return set_names(counts.hls, names);
            default:
                return set_names(counts.connections, names);
        }
    });
    if (errors.empty()) {
        config.counts = std::move(counts);
    }
    return errors;
}

Json show_counts(const Config& config) {
    return {{"publishers", show_names_by_protocol(config.counts.publishers)},
            {"subscribers", show_names_by_protocol(config.counts.subscribers)},
            {"hls", config.counts.hls},
            {"connections", config.counts.connections}};
}

}  // namespace wcs_node_agent
