// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/simulator.hpp"

#include <wcs_node_agent/version.hpp>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

namespace wcs_node_agent::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

/// The command line as it was written.
struct Arguments {
    std::vector<std::string> listen{"127.0.0.1:8081"};
    std::string control = "127.0.0.1:8082";
    std::vector<std::string> websocket;
    std::vector<std::string> set;
    std::string media_send;
    double media_rate = 0;
    std::size_t media_size = 1200;
    std::string media_receive;
    bool global_bandwidth = false;
    std::vector<std::string> streams;
};

/// Reads ADDR:PORT, IPv6 addresses in brackets.
template <class Protocol>
typename Protocol::endpoint parse_endpoint(const std::string& option, std::string_view text) {
    const auto colon = text.rfind(':');
    auto host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        host = {};  // an IPv6 address without brackets: where it ends is a guess
    }
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    std::uint16_t port = 0;
    const auto digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    const char* const end = digits.data() + digits.size();
    const auto [stopped, fault] = std::from_chars(digits.data(), end, port);
    if (error || fault != std::errc() || stopped != end) {
        throw CLI::ValidationError(option, fmt::format("'{}' is not ADDR:PORT", text));
    }
    return {address, port};
}

std::vector<Setting> parse_settings(const std::vector<std::string>& texts) {
    std::vector<Setting> settings;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) {
            throw CLI::ValidationError("--set", fmt::format("'{}' is not KEY=VALUE", text));
        }
        settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return settings;
}

SimulatorOptions to_options(const Arguments& arguments) {
    SimulatorOptions options;
    for (const auto& text : arguments.listen) {
        options.page.push_back(parse_endpoint<tcp>("--listen", text));
    }
    options.control = parse_endpoint<tcp>("--control", arguments.control);
    for (const auto& text : arguments.websocket) {
        options.websocket.push_back(parse_endpoint<tcp>("--websocket", text));
    }
    if (!arguments.media_send.empty()) {
        options.media_send = parse_endpoint<udp>("--media-send", arguments.media_send);
    }
    if (!arguments.media_receive.empty()) {
        options.media_receive = parse_endpoint<udp>("--media-receive", arguments.media_receive);
    }
    options.media_bytes = arguments.media_size;
    options.streams = arguments.streams;
    options.global_bandwidth = arguments.global_bandwidth;
    if (options.global_bandwidth && !options.media_send) {
        throw CLI::ValidationError("--global-bandwidth", "needs --media-send");
    }
    Simulation idle;
    idle.media_mbps = arguments.media_rate;
    auto initial = with_settings(idle, parse_settings(arguments.set));
    if (!initial) {
        throw CLI::ValidationError("--set", initial.error().what);
    }
    if (initial->media_mbps > 0 && !options.media_send) {
        throw CLI::ValidationError("media_mbps", "needs --media-send");
    }
    options.initial = std::move(*initial);
    return options;
}

void add_options(CLI::App& app, Arguments& arguments) {
    app.set_version_flag("--version", std::string("wcs-sim ").append(wcs_node_agent::version));
    app.add_option("--listen", arguments.listen, "where the page is, port 0: any free one")
        ->type_name("ADDR:PORT")
        ->allow_extra_args(false)
        ->capture_default_str();
    app.add_option("--control", arguments.control, "where GET /set, /reset and /state are")
        ->type_name("ADDR:PORT")
        ->capture_default_str();
    app.add_option(
           "--websocket", arguments.websocket,
           "where WebSDK clients connect, publish and play, without media behind it but for "
           "--media-send: a player that asks for a bitrate gets it there, rising for "
           "rampMs of its custom data")
        ->type_name("ADDR:PORT")
        ->allow_extra_args(false);
    app.add_option("--set", arguments.set, "begin with this, as GET /set?KEY=VALUE would set it")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    app.add_option("--media-send", arguments.media_send, "send UDP media to this address")
        ->type_name("ADDR:PORT");
    app.add_option("--media-rate", arguments.media_rate, "payload in Mbit/s (10^6 bit)")
        ->type_name("MBPS")
        ->check(CLI::Range(0.0, 100'000.0));
    app.add_option("--media-size", arguments.media_size, "payload of a datagram")
        ->type_name("BYTES")
        ->check(CLI::Range(1, 65507))
        ->capture_default_str();
    app.add_option("--media-receive", arguments.media_receive, "receive and count UDP media here")
        ->type_name("ADDR:PORT");
    app.add_flag("--global-bandwidth", arguments.global_bandwidth,
                 "the page has global_bandwidth_in and _out, Mbit/s of the last second, as with "
                 "WCS's global_bandwidth_check_enabled=true");
    app.add_option("--stream", arguments.streams,
                   "one that WebSDK clients can play though nobody publishes it")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.footer(
        "Control: GET /set?streams_webrtc_out=40&delay_ms=200 sets any name of the page (an empty "
        "value\ntakes it off), media_mbps, streams (so many entries at the page's end), ping_ms "
        "and ping_probes\n(when a WebSocket client is asked whether it is there, and how many "
        "unanswered pings end it), and the\nfaults delay_ms, status (3xx: a redirect), garbage, "
        "truncate, hang, size_mb, refuse,\nbytes_per_second, chunked and reset (in mid-reply), "
        "each off when 0. GET /reset goes back, GET /state\nreports everything as JSON, the "
        "WebSocket sessions with their identifiers too.\n");
}

/// A session is a descriptor, and shells give 1,024 of them.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int run(SimulatorOptions options) {
    raise_descriptor_limit();
    asio::io_context io(1);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&io](auto, auto) { io.stop(); });
    Simulator simulator(io.get_executor(), std::move(options));
    if (const auto started = simulator.start(); !started) {
        std::cerr << "wcs-sim: " << started.error().what << '\n';
        return 1;
    }
    for (const auto& endpoint : simulator.page_endpoints()) {
        std::cout << "page " << endpoint << '\n';
    }
    for (const auto& endpoint : simulator.websocket_endpoints()) {
        std::cout << "websocket " << endpoint << '\n';
    }
    std::cout << "control " << simulator.control_endpoint() << '\n';
    if (const auto endpoint = simulator.media_receive_endpoint()) {
        std::cout << "media-receive " << *endpoint << '\n';
    }
    std::cout << std::flush;
    io.run();
    return 0;
}

}  // namespace
}  // namespace wcs_node_agent::sim

int main(int argc, char** argv) {
    using namespace wcs_node_agent::sim;
    CLI::App app(
        "Serves a WCS statistics page whose figures and faults can be set, and the signalling of "
        "WCS's WebSocket clients.",
        "wcs-sim");
    Arguments arguments;
    add_options(app, arguments);
    try {
        app.parse(argc, argv);
        return run(to_options(arguments));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
}
