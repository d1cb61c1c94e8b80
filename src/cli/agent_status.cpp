// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_status.hpp"

#include "cli/status_text.hpp"
#include "config/value_text.hpp"
#include "wcs/client.hpp"

#include <chrono>
#include <cstddef>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Where to reach what listens at `endpoint`: any address includes loopback.
tcp::endpoint reachable(const tcp::endpoint& endpoint) {
    if (!endpoint.address().is_unspecified()) {
        return endpoint;
    }
    return endpoint.address().is_v6()
               ? tcp::endpoint(asio::ip::address_v6::loopback(), endpoint.port())
               : tcp::endpoint(asio::ip::address_v4::loopback(), endpoint.port());
}

/// This command has neither the password, of which the web file has only the hash, nor, maybe, a
/// client certificate.
std::string how_to_ask(const std::string& web_config_file, const std::string& address) {
    return fmt::format(
        "{} says who may ask the agent and how, and this command speaks plain HTTP without a "
        "password. Ask with\n"
        "    curl --cacert CA.pem -u USER https://{}/status\n"
        "(http:// where the file has no tls_server_config; --cert and --key where it wants a "
        "client "
        "certificate)\n",
        web_config_file, address);
}

std::string why_not_fetched(const FetchError& error) {
    return fmt::format(
        "{}\n{}\n", error.text,
        error.fault == WcsFault::http_status
            ? "The agent may not have taken its first sample yet: try again."
            : "Is the agent running (wcs-node-agent run, systemctl start wcs-node-agent)? If it "
              "serves elsewhere,\nsay where: --metrics-listen ADDR:PORT, or --config FILE for the "
              "file it was started with.");
}

asio::awaitable<Result<AgentStatus>> fetch_json(const Config& config, std::string path) {
    constexpr std::size_t longest = 16 << 20;
    const tcp::endpoint endpoint = reachable(config.metrics_listen.front());
    const WcsUrl url{.text = fmt::format("http://{}{}", endpoint_text(endpoint), path),
                     .host = endpoint.address().to_string(),
                     .port = endpoint.port(),
                     .target = path};
    if (!config.web_config_file.empty())
        co_return Error{how_to_ask(config.web_config_file, endpoint_text(endpoint))};
    FetchResult fetched = co_await fetch_page(url, 5s, longest);
    if (!fetched) co_return Error{why_not_fetched(fetched.error())};
    AgentStatus status{.text = std::move(fetched->body), .json = {}};
    status.json = Json::parse(status.text, nullptr, false);
    if (!status.json.is_object())
        co_return Error{url.text + ": what answers there is not wcs-node-agent\n"};
    co_return status;
}

Result<AgentStatus> wait_for(asio::awaitable<Result<AgentStatus>> asked) {
    asio::io_context io(1);
    Result<AgentStatus> status = Error{"not asked"};
    const auto keep = [&status](const std::exception_ptr&, Result<AgentStatus> fetched) {
        status = std::move(fetched);
    };
    asio::co_spawn(io, std::move(asked), keep);
    io.run();
    return status;
}

}  // namespace

asio::awaitable<Result<AgentStatus>> fetch_agent_status(const Config& config) {
    auto status = co_await fetch_json(config, "/status");
    if (status && !status_text::at(status->json, "/state").is_string())
        co_return Error{endpoint_text(config.metrics_listen.front()) +
                        ": what answers there is not wcs-node-agent\n"};
    co_return status;
}

Result<AgentStatus> ask_agent_status(const Config& config) {
    return wait_for(fetch_agent_status(config));
}

Json ask_agent_history(const Config& config) {
    auto history = wait_for(fetch_json(config, "/history"));
    return history ? std::move(history->json) : Json();
}

}  // namespace wcs_node_agent
