// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_status.hpp"

#include "cli/status_text.hpp"
#include "config/value_text.hpp"
#include "wcs/client.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

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

}  // namespace

asio::awaitable<Result<AgentStatus>> fetch_agent_status(const Config& config) {
    constexpr std::size_t longest = 16 << 20;
    const tcp::endpoint endpoint = reachable(config.metrics_listen.front());
    const WcsUrl url{.text = fmt::format("http://{}/status", endpoint_text(endpoint)),
                     .host = endpoint.address().to_string(),
                     .port = endpoint.port(),
                     .target = "/status"};
    if (!config.web_config_file.empty())
        co_return Error{how_to_ask(config.web_config_file, endpoint_text(endpoint))};
    FetchResult fetched = co_await fetch_page(url, 5s, longest);
    if (!fetched) co_return Error{why_not_fetched(fetched.error())};
    AgentStatus status{.text = std::move(fetched->body), .json = {}};
    status.json = Json::parse(status.text, nullptr, false);
    if (!status_text::at(status.json, "/state").is_string())
        co_return Error{url.text + ": what answers there is not wcs-node-agent\n"};
    co_return status;
}

}  // namespace wcs_node_agent
