// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_client.hpp"

#include "cli/status_text.hpp"
#include "wcs/client.hpp"

#include <chrono>
#include <cstddef>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace wcs_node_agent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

Error not_an_agent(const std::string& url) {
    return Error{url + ": what answers there is not wcs-node-agent\n"};
}

Result<ServedJson> wait_for(asio::awaitable<Result<ServedJson>> asked) {
    asio::io_context io(1);
    Result<ServedJson> served = Error{"not asked"};
    const auto keep = [&served](const std::exception_ptr&, Result<ServedJson> fetched) {
        served = std::move(fetched);
    };
    asio::co_spawn(io, std::move(asked), keep);
    io.run();
    return served;
}

}  // namespace

asio::awaitable<Result<ServedJson>> AgentClient::fetch(std::string path) const {
    constexpr std::size_t longest = 16 << 20;
    WcsUrl url = access_.url;
    url.text += path;
    url.target += path;
    const auto timeout = access_.username.empty() ? 5s : 15s;
    FetchResult fetched = co_await fetch_page(url, timeout, longest, access_.trust, access_.asker);
    if (!fetched) co_return Error{why_no_answer(access_, fetched.error())};
    ServedJson served{.text = std::move(fetched->body), .json = {}};
    served.json = Json::parse(served.text, nullptr, false);
    if (!served.json.is_object()) co_return not_an_agent(url.text);
    co_return served;
}

asio::awaitable<Result<ServedJson>> AgentClient::fetch_status() const {
    auto status = co_await fetch("/status");
    if (status && !status_text::at(status->json, "/state").is_string())
        co_return not_an_agent(access_.url.text + "/status");
    co_return status;
}

Result<ServedJson> AgentClient::status() const { return wait_for(fetch_status()); }

Json AgentClient::history() const {
    auto history = wait_for(fetch("/history"));
    return history ? std::move(history->json) : Json();
}

std::string AgentClient::address() const {
    const auto& text = access_.url.text;
    return access_.is_own ? text.substr(text.find("//") + 2) : text;
}

}  // namespace wcs_node_agent
