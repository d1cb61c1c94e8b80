// SPDX-License-Identifier: Apache-2.0
#include "haproxy/check_responder.hpp"

#include "haproxy/agent_reply.hpp"
#include "net/use_tuple.hpp"

#include <chrono>
#include <exception>
#include <iterator>
#include <string>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace wcs_node_agent {

namespace {

constexpr auto answer_timeout = std::chrono::seconds(30);

}  // namespace

CheckResponder::CheckResponder(const asio::any_io_executor& executor, LingeringClose& closing,
                               AgentCounters& agent, ToldBalancers& told, std::string profile)
    : executor_(executor),
      closing_(closing),
      agent_(agent),
      told_(told),
      profile_(std::move(profile)),
      current_(executor),
      timeout_(executor) {}

CheckCounters CheckResponder::counters(Clock::time_point now) const {
    auto counters = counters_;
    counters.balancers = balancers_.count(now);
    return counters;
}

void CheckResponder::stop() {
    waiting_.clear();
    timeout_.cancel();
}

void CheckResponder::respond(Connection connection) {
    if (const auto now = current_.get_current(Clock::now()))
        answer(std::move(connection), *now);
    else
        wait_for_answer(std::move(connection));
}

// A new socket's send buffer is empty and far larger than a reply, so one send takes all of it.
// What fails is a client that has gone: HAProxy resets a connection as soon as it has the newline.
void CheckResponder::answer(Connection connection, const Answer& answer) {
    const auto source = connection.source.address();
    const bool is_out = answer.verdict.judged.has_value();
    const bool to_hear_ready = !is_out && told_.has_to_hear_ready(profile_, source);
    const std::string ready = to_hear_ready ? with_ready(answer.agent_reply) : std::string();
    const std::string& reply = to_hear_ready ? ready : answer.agent_reply;
    if (::send(connection.socket.get(), reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
    ++counters_.checks[static_cast<std::size_t>(answer.verdict.state)];
    remember(source, reply);
    if (is_out) told_.heard_out(profile_, source, Clock::now());
    if (to_hear_ready) told_.heard_ready(profile_, source, Clock::now());
    closing_.add(std::move(connection));
}

void CheckResponder::remember(const asio::ip::address& source, std::string_view reply) {
    if (!agent_.last_check) agent_.last_check.emplace();
    auto& last = *agent_.last_check;
    last.source = source;
    last.at = Clock::now();
    balancers_.add(source, last.at);
    last.text.assign(reply.substr(0, reply.size() - 1));  // into the same memory each time
}

void CheckResponder::wait_for_answer(Connection connection) {
    waiting_.push_back(std::move(connection));
    waiting_.back().slot->on_close([this, at = std::prev(waiting_.end())] { waiting_.erase(at); });
    if (std::exchange(is_waiting_, true)) return;
    asio::co_spawn(executor_, answer_waiting(shared_from_this()), asio::detached);
}

// Spawned from outside the executor it begins later, and an answer may have come since.
asio::awaitable<void> CheckResponder::answer_waiting(std::shared_ptr<CheckResponder> /*self*/) {
    using namespace asio::experimental::awaitable_operators;
    auto current = current_.get_current(Clock::now());
    const auto deadline = Clock::now() + answer_timeout;
    try {
        while (!current && !waiting_.empty() && Clock::now() < deadline) {
            timeout_.expires_at(deadline);
            co_await (current_.wait_for_next() || timeout_.async_wait(use_tuple));
            current = current_.get_current(Clock::now());
        }
    } catch (const std::exception&) {
        is_waiting_ = false;  // the next connection that waits begins anew, for these too
        co_return;
    }
    is_waiting_ = false;
    for (Connection& connection : std::exchange(waiting_, {})) {
        if (current)
            answer(std::move(connection), *current);
        else
            ++agent_.rejected_connections;
    }
}

}  // namespace wcs_node_agent
