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

/// A share of the link's speed, such as "80%"; only the range of it is checked here.
std::optional<double> as_share(const Json& value) {
    return value.is_string() ? parse_percent(value.get_ref<const std::string&>()) : std::nullopt;
}

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

Result<WcsUrl> read_url(const Json& value) {
    const auto text = read_string(value);
    return text ? parse_wcs_url(*text) : Result<WcsUrl>(text.error());
}

Result<std::optional<LimitMaximum>> read_maximum(const Json& value, LimitUnit unit) {
    if (value == "off") {
        return std::nullopt;
    }
    const bool may_be_share = unit == LimitUnit::megabits_per_second;
    const auto share = may_be_share ? as_share(value) : std::nullopt;
    const auto number = share ? share : as_number(value);
    const double highest = unit == LimitUnit::percent ? 100 : 1e9;
    if (!number || *number < 0 || *number > (share ? 100 : highest)) {
        return must_be(
            fmt::format("a number greater than 0 and up to {}, {}or \"off\"", highest,
                        may_be_share ? "a share of the link's speed up to \"100%\", " : ""),
            value);
    }
    if (*number == 0) {
        return std::nullopt;
    }
    return share ? LimitMaximum::share_of_link(*share) : LimitMaximum(*number);
}

Result<double> read_recover(const Json& value) {
    const auto number = as_number(value);
    if (!number || *number <= 0 || *number > 1) {
        return must_be("a number greater than 0 and up to 1", value);
    }
    return *number;
}

Json show_maximum(const std::optional<LimitMaximum>& maximum) {
    if (!maximum) {
        return Json("off");
    }
    return maximum->is_share ? Json(percent_text(maximum->value)) : show_number(maximum->value);
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
    constexpr std::array<std::string_view, 3> known{"publishers", "subscribers", "hls"};
    if (!value.is_object()) {
        return one_error(
            must_be("an object with \"publishers\", \"subscribers\" and \"hls\"", value));
    }
    CountNames counts = config.counts;
    ConfigErrors errors = for_each_key(value, known, [&](std::size_t count, const Json& names) {
        switch (count) {
            case 0:
                return set_names_by_protocol(counts.publishers, names);
            case 1:
                return set_names_by_protocol(counts.subscribers, names);
            default:
                return set_names(counts.hls, names);
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
            {"hls", config.counts.hls}};
}

}  // namespace wcs_node_agent
