// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs-sim/http.hpp"
#include "wcs-sim/media.hpp"
#include "wcs-sim/signalling.hpp"
#include "wcs-sim/simulation.hpp"

#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

namespace wcs_node_agent::sim {

/// Where the simulator listens, and what it begins with.
struct SimulatorOptions {
    std::vector<boost::asio::ip::tcp::endpoint> page;
    boost::asio::ip::tcp::endpoint control;
    std::vector<boost::asio::ip::tcp::endpoint> websocket;
    std::optional<boost::asio::ip::udp::endpoint> media_send;
    std::size_t media_bytes = 1200;    // of payload a datagram
    bool global_bandwidth = false;     // the page has global_bandwidth_in and _out
    std::vector<std::string> streams;  // that are there without a publisher
    std::optional<boost::asio::ip::udp::endpoint> media_receive;
    Simulation initial;
};

/// A stand-in for WCS: its statistics page, a control port that changes page and faults, the
/// signalling of its WebSocket clients, and UDP media traffic: what is set, and what players ask
/// for. One thread. It must outlive every run of its io_context.
class Simulator {
 public:
    Simulator(const boost::asio::any_io_executor& executor, SimulatorOptions options);

    /// Listens everywhere and begins to send. The error names the address.
    Result<void> start();

    /// All settings or none, as GET /set does.
    Result<void> set(std::span<const Setting> settings);

    /// Back to what it began with. Totals stay.
    Result<void> reset();

    /// What holds now and all totals, as JSON.
    std::string state() const;

    std::vector<boost::asio::ip::tcp::endpoint> page_endpoints() const;
    std::vector<boost::asio::ip::tcp::endpoint> websocket_endpoints() const;
    boost::asio::ip::tcp::endpoint control_endpoint() const { return control_.endpoint(); }
    std::optional<boost::asio::ip::udp::endpoint> media_receive_endpoint() const;

 private:
    Result<void> become(Simulation simulation);
    boost::asio::awaitable<void> serve_page(boost::beast::tcp_stream stream);
    boost::asio::awaitable<void> serve_control(boost::beast::tcp_stream stream);
    boost::asio::awaitable<void> measure_bandwidth();
    Simulation with_clients_on_page() const;
    HttpResponse page_response(const HttpRequest& request) const;
    HttpResponse control_response(const HttpRequest& request);

    boost::asio::any_io_executor executor_;
    SimulatorOptions options_;
    Simulation now_;
    std::deque<HttpListener> page_;
    HttpListener control_;
    std::deque<HttpListener> websocket_;
    Signalling signalling_;
    std::optional<MediaSender> sender_;
    std::optional<MediaReceiver> receiver_;
    double mbps_out_ = 0;  // payload, of the last second
    std::uint64_t page_requests_ = 0;
};

}  // namespace wcs_node_agent::sim
