// SPDX-License-Identifier: Apache-2.0
#include "config/value_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>
#include <system_error>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

namespace ip = boost::asio::ip;

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

// Largest first, as the formatters look for the largest that fits.
constexpr std::array duration_units{
    Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},        Unit{"us", 1'000},         Unit{"ns", 1}};
constexpr std::array size_units{Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20}, Unit{"KiB", 1 << 10},
                                Unit{"B", 1}};

/// The number in front times the unit behind, rounded; none outside 0..limit.
std::optional<std::int64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                           std::int64_t limit) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_number(text.substr(0, digits));
    const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
    if (!number || unit == units.end()) {
        return std::nullopt;
    }
    const double value = *number * static_cast<double>(unit->factor);
    if (value > static_cast<double>(limit)) {
        return std::nullopt;
    }
    return std::llround(value);
}

std::string quantity_text(std::int64_t value, std::span<const Unit> units) {
    const auto whole = [value](const Unit& unit) { return value % unit.factor == 0; };
    const auto unit = value == 0 ? units.end() - 1 : std::ranges::find_if(units, whole);
    return fmt::format("{}{}", value / unit->factor, unit->name);
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

/// Adds one network of either family, once it is known to say what it means.
template <class Network, class Address>
Result<void> add_canonical(std::vector<Network>& networks, const Address& address,
                           std::string_view text, std::optional<std::string_view> prefix_text) {
    constexpr unsigned short longest = std::tuple_size_v<typename Address::bytes_type> * 8;
    const auto prefix = prefix_text ? parse_integer<unsigned short>(*prefix_text) : longest;
    if (!prefix || *prefix > longest) {
        return Error{fmt::format("must have a prefix length from 0 to {}, not \"{}\"", longest,
                                 prefix_text.value_or(""))};
    }
    const Network network(address, *prefix);
    if (network.canonical() != network) {
        return Error{fmt::format("\"{}\" has bits set past its prefix: write \"{}\"", text,
                                 network.canonical().to_string())};
    }
    networks.push_back(network);
    return {};
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

std::optional<double> parse_percent(std::string_view text) {
    return text.ends_with('%') ? parse_number(text.substr(0, text.size() - 1)) : std::nullopt;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    constexpr std::int64_t a_century = 100LL * 365 * 24 * 3'600'000'000'000;
    const auto count = parse_quantity(text, duration_units, a_century);
    return count ? std::optional(std::chrono::nanoseconds(*count)) : std::nullopt;
}

std::optional<std::size_t> parse_size(std::string_view text) {
    const bool plain = text.find_first_not_of("0123456789") == std::string_view::npos;
    const auto bytes = parse_quantity(plain ? std::string(text) + "B" : std::string(text),
                                      size_units, std::int64_t{1} << 40);
    return bytes ? std::optional(static_cast<std::size_t>(*bytes)) : std::nullopt;
}

namespace {

/// No host has such an address to connect to.
Result<ip::tcp::endpoint> checked_endpoint(const ip::tcp::endpoint& endpoint,
                                           std::string_view text) {
    const auto& address = endpoint.address();
    if (address.is_multicast() || address == ip::address_v4::broadcast()) {
        return Error{fmt::format("\"{}\" is no address to listen on", text)};
    }
    return endpoint;
}

}  // namespace

Result<ip::tcp::endpoint> parse_endpoint(std::string_view text) {
    Error form{fmt::format(
        "must be ADDR:PORT, such as \"127.0.0.1:9707\" or \"[::1]:9707\", not \"{}\"", text)};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return form;
    }
    std::string_view host = text.substr(0, colon);
    const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
    if (!port) {
        return Error{
            fmt::format("must have a port from 0 to 65535, not \"{}\"", text.substr(colon + 1))};
    }
    if (host.empty()) {
        return Error{
            fmt::format("\"{0}\" has no address: write \"0.0.0.0{0}\", \"[::]{0}\" or both", text)};
    }
    boost::system::error_code error;
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        const auto address = ip::make_address_v6(host, error);
        if (error) return form;
        if (address.is_v4_mapped()) {
            const auto v4 = ip::make_address_v4(ip::v4_mapped, address);
            return Error{fmt::format("\"{}\" is an IPv4 address: write \"{}:{}\"", text,
                                     v4.to_string(), *port)};
        }
        if (address.is_link_local() && address.scope_id() == 0) {
            return Error{fmt::format(
                "\"{}\" needs its interface, as in \"[{}%eth0]:{}\", which must be there", text,
                host, *port)};
        }
        return checked_endpoint({address, *port}, text);
    }
    if (host.find(':') != std::string_view::npos) {
        return Error{
            fmt::format("\"{}\": an IPv6 address is written in brackets, as in \"[{}]:{}\"", text,
                        host, *port)};
    }
    const auto address = ip::make_address_v4(host, error);
    if (error) return form;
    return checked_endpoint({address, *port}, text);
}

Result<void> add_network(AllowList& list, std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto prefix =
        slash == std::string_view::npos ? std::nullopt : std::optional(text.substr(slash + 1));
    boost::system::error_code error;
    const auto address = ip::make_address(text.substr(0, slash), error);
    if (error || text.find('%') != std::string_view::npos) {
        return Error{fmt::format(
            "must be a network, such as \"10.0.0.0/8\" or \"fd00::/8\", or an address, not \"{}\"",
            text)};
    }
    if (address.is_v4()) {
        return add_canonical(list.v4, address.to_v4(), text, prefix);
    }
    // An IPv4-mapped source is held against the IPv4 networks, so this one would never match.
    const int length = prefix ? parse_integer<int>(*prefix).value_or(0) : 128;
    if (address.to_v6().is_v4_mapped() && length >= 96 && length <= 128) {
        const auto v4 = ip::make_address_v4(ip::v4_mapped, address.to_v6());
        return Error{fmt::format("\"{}\" is an IPv4 network in IPv6 form: write \"{}/{}\"", text,
                                 v4.to_string(), length - 96)};
    }
    return add_canonical(list.v6, address.to_v6(), text, prefix);
}

std::string percent_text(double percent) { return fmt::format("{}%", percent); }

std::string duration_text(std::chrono::nanoseconds duration) {
    return quantity_text(duration.count(), duration_units);
}

std::string size_text(std::size_t bytes) {
    return quantity_text(static_cast<std::int64_t>(bytes), size_units);
}

std::string endpoint_text(const ip::tcp::endpoint& endpoint) {
    const std::string address = endpoint.address().to_string();
    return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                      : fmt::format("{}:{}", address, endpoint.port());
}

std::vector<std::string> network_texts(const AllowList& list) {
    std::vector<std::string> texts;
    const auto add = [&texts](const auto& network) {
        texts.push_back(network.is_host() ? network.address().to_string() : network.to_string());
    };
    std::ranges::for_each(list.v4, add);
    std::ranges::for_each(list.v6, add);
    return texts;
}

}  // namespace wcs_node_agent
