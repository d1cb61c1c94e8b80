// SPDX-License-Identifier: Apache-2.0
#include "net/lingering_close.hpp"

#include "net/use_tuple.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <iterator>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr auto timeout = std::chrono::seconds(1);
constexpr std::size_t most_bytes = 65'536;

// A look at all of them now and then needs no epoll entry, wake-up and timer for each: a check on
// loopback took 18 us so from connect to reply, and 22 us with them.
constexpr auto sweep_interval = std::chrono::milliseconds(50);

}  // namespace

LingeringClose::LingeringClose(const asio::any_io_executor& executor)
    : executor_(executor), next_sweep_(executor) {}

// Linux answers with RST, not FIN, when a socket is closed with bytes unread in it, and also when
// bytes arrive after it was closed. With RST the reply can be lost: the sender no
// longer retransmits it, and some systems drop what the client has not read yet.
void LingeringClose::add(Connection connection) {
    if (::shutdown(connection.socket.get(), SHUT_WR) != 0) return;  // the client has gone already
    closing_.push_back({std::move(connection), Clock::now() + timeout, most_bytes});
    auto& slot = *closing_.back().connection.slot;
    slot.set_finished();
    slot.on_close([this, at = std::prev(closing_.end())] {
        is_over(*at, Clock::now());  // with bytes unread it would be a reset
        closing_.erase(at);
    });
    if (std::exchange(sweeping_, true)) return;
    asio::co_spawn(executor_, sweep(), asio::detached);
}

void LingeringClose::finish() {
    closing_.clear();
    next_sweep_.cancel();
}

/// Reads away what has come; true if the connection can be closed.
bool LingeringClose::is_over(Closing& closing, Clock::time_point now) {
    std::array<char, 4096> discarded;
    while (closing.allowance > 0) {
        const auto size = ::recv(closing.connection.socket.get(), discarded.data(),
                                 std::min(discarded.size(), closing.allowance), 0);
        if (size < 0 && errno == EAGAIN) return now >= closing.deadline;
        if (size <= 0) return true;
        closing.allowance -= static_cast<std::size_t>(size);
    }
    return true;
}

asio::awaitable<void> LingeringClose::sweep() {
    try {
        while (!closing_.empty()) {
            next_sweep_.expires_after(sweep_interval);
            co_await next_sweep_.async_wait(use_tuple);
            const auto now = Clock::now();
            std::erase_if(closing_, [now](Closing& closing) { return is_over(closing, now); });
        }
    } catch (const std::exception& failure) {
        spdlog::debug("connections are closed with the next one: {}", failure.what());
    }
    sweeping_ = false;
}

}  // namespace wcs_node_agent
