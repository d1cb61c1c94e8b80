// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/simulator.hpp"

#include "wcs-sim/live_page.hpp"
#include "wcs-sim/websocket.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/verb.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::sim {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

HttpResponse plain(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

/// None: the method is allowed.
std::optional<HttpResponse> wrong_method(const HttpRequest& request) {
    if (request.method() == beast::http::verb::get || request.method() == beast::http::verb::head) {
        return std::nullopt;
    }
    auto response = plain(405, "only GET and HEAD\n");
    response.headers["Allow"] = "GET, HEAD";
    return response;
}

std::vector<tcp::endpoint> endpoints_of(const std::deque<HttpListener>& listeners) {
    std::vector<tcp::endpoint> endpoints;
    endpoints.reserve(listeners.size());
    for (const auto& listener : listeners) {
        endpoints.push_back(listener.endpoint());
    }
    return endpoints;
}

/// Waits until the client gives up.
asio::awaitable<void> hang(beast::tcp_stream& stream) {
    std::array<char, 512> unheeded{};
    error_code error;
    stream.expires_never();
    while (!error) {
        co_await stream.async_read_some(asio::buffer(unheeded),
                                        asio::redirect_error(asio::use_awaitable, error));
    }
}

}  // namespace

Simulator::Simulator(const asio::any_io_executor& executor, SimulatorOptions options)
    : executor_(executor),
      options_(std::move(options)),
      now_(options_.initial),
      control_(executor, options_.control,
               [this](beast::tcp_stream stream) { return serve_control(std::move(stream)); }) {
    for (const auto& endpoint : options_.page) {
        page_.emplace_back(executor, endpoint, [this](beast::tcp_stream stream) {
            return serve_page(std::move(stream));
        });
    }
    for (const auto& endpoint : options_.websocket) {
        websocket_.emplace_back(executor, endpoint, [this](beast::tcp_stream stream) {
            return serve_websocket(std::move(stream), signalling_, now_);
        });
    }
    if (options_.media_send) {
        sender_.emplace(executor, *options_.media_send, options_.media_bytes);
        if (!options_.websocket.empty()) {
            sender_->follow([this](Clock::time_point now) { return signalling_.media_mbps(now); });
        }
    }
    if (options_.media_receive) {
        receiver_.emplace(executor);
    }
    for (const auto& name : options_.streams) {
        signalling_.provide(name);
    }
}

Result<void> Simulator::start() {
    if (sender_) {
        if (auto opened = sender_->open(); !opened) {
            return opened;
        }
        asio::co_spawn(executor_, sender_->run(), asio::detached);
        if (options_.global_bandwidth) {
            asio::co_spawn(executor_, measure_bandwidth(), asio::detached);
        }
    }
    if (receiver_) {
        if (auto opened = receiver_->open(*options_.media_receive); !opened) {
            return opened;
        }
        asio::co_spawn(executor_, receiver_->run(), asio::detached);
    }
    if (auto opened = control_.open(); !opened) {
        return opened;
    }
    for (auto& listener : websocket_) {
        if (auto opened = listener.open(); !opened) {
            return opened;
        }
    }
    return become(options_.initial);
}

Result<void> Simulator::set(std::span<const Setting> settings) {
    auto changed = with_settings(now_, settings);
    if (!changed) {
        return changed.error();
    }
    return become(std::move(*changed));
}

Result<void> Simulator::reset() { return become(options_.initial); }

Result<void> Simulator::become(Simulation simulation) {
    if (simulation.media_mbps > 0 && !sender_) {
        return Error{"media_mbps: there is nowhere to send to, see --media-send"};
    }
    for (auto& listener : page_) {
        if (simulation.faults.refuse) {
            listener.close();
        } else if (auto opened = listener.open(); !opened) {
            return opened;
        }
    }
    if (sender_) {
        sender_->set_rate(simulation.media_mbps);
    }
    now_ = std::move(simulation);
    return {};
}

std::string Simulator::state() const {
    const auto& faults = now_.faults;
    const auto sent = sender_ ? sender_->sent() : MediaTotals{};
    const auto received = receiver_ ? receiver_->received() : MediaTotals{};
    nlohmann::ordered_json state{
        {"page_requests", page_requests_},
        {"media_mbps", now_.media_mbps},
        {"streams", now_.streams},
        {"ping_ms", now_.ping_interval.count()},
        {"ping_probes", now_.ping_probes},
        {"media_sent_bytes", sent.bytes},
        {"media_sent_packets", sent.packets},
        {"media_received_bytes", received.bytes},
        {"media_received_packets", received.packets},
        {"faults",
         {{"delay_ms", faults.delay.count()},
          {"status", faults.status},
          {"garbage", int{faults.garbage}},
          {"truncate", faults.truncate},
          {"hang", int{faults.hang}},
          {"size_mb", faults.size_mb},
          {"refuse", int{faults.refuse}},
          {"bytes_per_second", faults.bytes_per_second},
          {"chunked", int{faults.chunked}},
          {"reset", int{faults.reset}}}},
    };
    auto& sessions = state["sessions"] = nlohmann::ordered_json::array();
    for (const auto& session : signalling_.sessions()) {
        auto& streams = sessions.emplace_back(nlohmann::ordered_json{
            {"id", session.id}, {"streams", nlohmann::ordered_json::array()}})["streams"];
        for (const auto& stream : session.streams) {
            streams.push_back(
                {{"name", stream.name},
                 {"status",
                  stream.direction == MediaDirection::receive ? "PUBLISHING" : "PLAYING"}});
        }
    }
    auto& page = state["page"] = nlohmann::ordered_json::object();
    for (const auto& section : with_clients_on_page().sections) {
        for (const auto& [name, value] : section.entries) {
            page[name] = value;
        }
    }
    return state.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::vector<tcp::endpoint> Simulator::page_endpoints() const { return endpoints_of(page_); }

std::vector<tcp::endpoint> Simulator::websocket_endpoints() const {
    return endpoints_of(websocket_);
}

asio::awaitable<void> Simulator::measure_bandwidth() {
    constexpr std::chrono::seconds every(1);
    asio::steady_timer timer(executor_);
    auto last = Clock::now();
    auto before = sender_->sent().bytes;
    for (;;) {
        timer.expires_after(every);
        error_code error;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        const auto now = Clock::now();
        const auto bytes = sender_->sent().bytes;
        mbps_out_ = static_cast<double>(bytes - before) * 8 / 1e6 / Seconds(now - last).count();
        last = now;
        before = bytes;
    }
}

Simulation Simulator::with_clients_on_page() const {
    auto simulation = now_;
    simulation.sections = with_clients(std::move(simulation.sections), signalling_.counts());
    if (options_.global_bandwidth) {
        simulation.sections.push_back(
            {"Bandwidth Stats",
             "bandwidth_stats",
             "global_bandwidth_",
             {{"global_bandwidth_in", "0"},
              {"global_bandwidth_out", fmt::format("{:.2f}", mbps_out_)}}});
    }
    return simulation;
}

std::optional<asio::ip::udp::endpoint> Simulator::media_receive_endpoint() const {
    return receiver_ ? std::optional(receiver_->endpoint()) : std::nullopt;
}

asio::awaitable<void> Simulator::serve_page(beast::tcp_stream stream) {
    const auto request = co_await read_request(stream);
    if (!request) {
        co_return;
    }
    ++page_requests_;
    if (now_.faults.delay.count() > 0) {
        asio::steady_timer timer(executor_, now_.faults.delay);
        error_code error;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    if (now_.faults.hang) {
        co_await hang(stream);
        co_return;
    }
    const auto response = page_response(*request);
    co_await respond(stream, *request, response);
}

HttpResponse Simulator::page_response(const HttpRequest& request) const {
    if (auto wrong = wrong_method(request)) {
        return *wrong;
    }
    const auto target = parse_target(request.target());
    if (!target || target->path != "/" || target->parameter("action") != "stat") {
        return plain(404, "the page is /?action=stat\n");
    }
    const auto& faults = now_.faults;
    if (faults.status != 0 && faults.status != 200) {
        auto response = plain(static_cast<unsigned>(faults.status), "as it was set\n");
        if (faults.status / 100 == 3) {
            response.headers["Location"] = "/elsewhere";
        }
        return response;
    }
    HttpResponse response;
    if (faults.garbage) {
        response.body = garbage_body();
    } else if (target->parameter("format") == "json") {
        response.content_type = "application/json";
        response.body =
            page_body(with_clients_on_page(), PageFormat::json, target->parameter("groups"));
    } else {
        response.body =
            page_body(with_clients_on_page(), PageFormat::text, target->parameter("groups"));
    }
    if (faults.truncate > 0) {
        response.body_bytes_sent = faults.truncate;
    }
    if (faults.reset) {
        response.body_bytes_sent = response.body.size() / 2;
    }
    response.bytes_per_second = faults.bytes_per_second;
    response.chunked = faults.chunked;
    response.ends_with_reset = faults.reset;
    return response;
}

asio::awaitable<void> Simulator::serve_control(beast::tcp_stream stream) {
    const auto request = co_await read_request(stream);
    if (!request) {
        co_return;
    }
    const auto response = control_response(*request);
    co_await respond(stream, *request, response);
}

HttpResponse Simulator::control_response(const HttpRequest& request) {
    if (auto wrong = wrong_method(request)) {
        return *wrong;
    }
    const auto target = parse_target(request.target());
    if (!target) {
        return plain(400, "not a path and query\n");
    }
    Result<void> done;
    if (target->path == "/set") {
        done = set(target->parameters);
    } else if (target->path == "/reset") {
        done = reset();
    } else if (target->path != "/state") {
        return plain(404, "there are /set?NAME=VALUE&..., /reset and /state\n");
    }
    if (!done) {
        return plain(400, done.error().what + '\n');
    }
    auto response = plain(200, state());
    response.content_type = "application/json";
    return response;
}

}  // namespace wcs_node_agent::sim
